"""Hit rate: how many reads a cache answered, what that is worth, and where to look if it is little.

    ≥ 95 %      excellent
    80 – 95 %   look at the missed keys
    < 80 %      investigate

What always holds: a grade is of reads that were counted; without any there is none. The thresholds are those that
operators of caches use by habit, not laws: a cache in front of data that is written all the time is right to miss.
"""

import enum
from collections.abc import Mapping

from msgspec import Struct

EXCELLENT, FAIR = 0.95, 0.80


class Grade(enum.Enum):
    """What a hit rate is worth."""

    EXCELLENT = "excellent"
    FAIR = "look at the missed keys"
    POOR = "investigate"


ADVICE = {
    "cold": "keys are asked for the first time: do keys hold what varies for no reason (a timestamp, a random id)?",
    "expired": "entries reach the end of their time to live: with `sequenced` it may be long, since writes end them",
    "evicted": "L1 is too small for what is asked: raise l1_max_bytes",
    "invalidated": "writes end the entries: do they name more tags and namespaces than they change?",
    "lease": "the agent can't prove that it hears: see its log, and tocsin_hears",
    "epoch": "Redis lost its state, or was restarted",
    "version": "a namespace's version rose: every key below it is new after each write",
    "watermark": "sessions ask for what they have just written",
    "demand": "calls ask for fresher values than are kept",
    "writing": "keys are read while they are written",
    "busy": "many ask for a key that one loads",
    "pending": "writes are waiting for Redis",
    "redis-unreachable": "Redis does not answer",
    "redis-refused": "Redis refuses what it is asked",
    "no-cache": "the strategy keeps nothing",
    "undecodable": "entries in Redis are not ours, or of another version",
}
"""What to look at, by the cause of most misses; causes are those of `tocsin.entry.CAUSES`."""


class HitRate(Struct, frozen=True):
    """Reads, those that L1 answered, those that L2 answered, and the causes of misses in each of them by number."""

    reads: float
    l1: float
    l2: float
    causes: Mapping[tuple[str, str], float]

    @property
    def ratio(self) -> float | None:
        """The part of the reads that did not ask the database, from 0 to 1; None before the first read."""
        return (self.l1 + self.l2) / self.reads if self.reads else None

    @property
    def grade(self) -> Grade | None:
        """What that is worth; None before the first read."""
        if (ratio := self.ratio) is None:
            return None
        return Grade.EXCELLENT if ratio >= EXCELLENT else Grade.FAIR if ratio >= FAIR else Grade.POOR

    def described(self) -> str:
        """Return the rate, its grade and what to look at, for a person."""
        if self.ratio is None or self.grade is None:
            return "no reads yet"
        layers = f"L1 {self.l1 / self.reads:.1%}, L2 {self.l2 / self.reads:.1%}"
        told = f"{self.ratio:.1%} of {self.reads:,.0f} reads ({layers}): {self.grade.value}"
        return f"{told}; {advice}" if (advice := self.advice()) else told

    def advice(self) -> str:
        """Return what to look at first, '' where nothing needs it: the cause of most of L2's misses.

        L2's, because a miss in L1 alone costs a trip to Redis, and one in L2 the database.
        """
        missed = {cause: number for (layer, cause), number in self.causes.items() if layer == "l2" and number}
        if self.grade in (None, Grade.EXCELLENT) or not missed:
            return ""
        worst = max(missed, key=lambda cause: missed[cause])
        return f"{missed[worst] / sum(missed.values()):.0%} of L2's misses are '{worst}': {ADVICE[worst]}"
