"""Explaining: why a read was a hit, a miss or stale, as a value and as words.

    cache.explain("product:1")     what the next read of this process would find, level by level; it changes nothing
    explained("product:1", answer) how an answer came about that was given already

What always holds: an explanation is of the moment at which it was made, and proves nothing of the next one.
"""

import enum
import math
from typing import Final

from msgspec import Struct

from tocsin.entry import Answer, Layer, Step
from tocsin.position import PENDING, Position


class Verdict(enum.Enum):
    """What became of a read, or would."""

    HIT = "hit"
    MISS = "miss"
    STALE = "stale"


CAUSES_IN_WORDS: Final = {
    "cold": "nothing is kept under this key",
    "expired": "its time to live is over",
    "evicted": "it had to make room for others",
    "invalidated": "it was invalidated, or something it depends on was",
    "lease": "this node can't prove at the moment that it has heard of every invalidation",
    "deaf": "this process does not hear invalidations at the moment",
    "epoch": "it is from before Redis lost its memory, or from after",
    "version": "its key's or namespace's version has risen",
    "watermark": "the session has seen something newer",
    "demand": "it may have been untrue for longer than the read allows",
    "writing": "a write of it is under way, so nobody keeps it",
    "busy": "another process is loading it",
    "pending": "the session wrote what nobody could be told of yet",
    "redis-unreachable": "Redis does not answer",
    "redis-refused": "Redis refused",
    "no-cache": "this strategy keeps nothing",
    "undecodable": "what lies there was not written by this library",
    "early": "it is refreshed before its end",
}
"""Why a level did not answer: the causes of `tocsin.entry`, for a person."""


class Explanation(Struct, frozen=True):
    """Why a read of `key` was, or would be, what `verdict` says.

    `steps` are its levels, the one nearest the database first. `watermark` is what a session has seen with it.
    """

    key: str
    verdict: Verdict
    steps: tuple[Step, ...]
    version: int = 0
    negative: bool = False
    age_s: float = 0.0
    watermark: Position | None = None

    @property
    def text(self) -> str:
        """The explanation in a few lines: the verdict, then each level in the order in which it is asked."""
        lines = [f"{self.key}: {self.verdict.value}{self._value()}"]
        lines += [f"  {step.layer.value}: {_words(step)}" for step in reversed(self.steps)]
        if self.watermark == PENDING:
            lines.append("  position: pending, as Redis could not be asked")
        elif self.watermark is not None:
            lines.append(f"  position: {self.watermark.sequence} of epoch {self.watermark.epoch:016x}")
        return "\n".join(lines)

    def _value(self) -> str:
        if self.verdict is Verdict.MISS:
            return ""
        what = "known not to exist" if self.negative else f"version {self.version}"
        return f", {what}, loaded {self.age_s:.1f} s ago"


def explained(key: str, answer: Answer) -> Explanation:
    """Return how an answer came about."""
    hit = answer.layer is not Layer.DATABASE
    shown = [step for step in answer.steps if step.hit]
    stale = any((step.ttl_s or 0.0) < 0 or (step.detail or "").startswith("stale") for step in shown)
    verdict = Verdict.STALE if stale else Verdict.HIT if hit else Verdict.MISS
    return Explanation(
        key, verdict, answer.steps, answer.version, answer.negative, answer.age_s, watermark=answer.watermark
    )


def _words(step: Step) -> str:
    if not step.hit:
        return f"no ({step.cause}): {CAUSES_IN_WORDS.get(step.cause, step.cause)}"
    if step.detail == "dirty":
        return "yes: written, and not in the database yet"
    left_s = step.ttl_s
    if left_s is None or math.isinf(left_s):
        return "yes"
    if left_s < 0:
        return f"yes, stale: it ended {-left_s:.1f} s ago ({step.detail})"
    return f"yes, for {left_s:.1f} s more" + (f" ({step.detail})" if step.detail else "")
