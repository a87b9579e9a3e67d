"""Setting: what kind of schedule it is: strategy, write path, how rough it is, and which parts a mutant exchanges."""

# ruff: noqa: ARG005  # a replacement takes what the replaced took

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from msgspec.structs import replace
from tocsin.cache import Cache
from tocsin.follower import Follower, Rhythm
from tocsin.generation import Keeper, Memory
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.names import Names
from tocsin.policy import Policy
from tocsin.relay import Relay
from tocsin.sequencer import Terms
from tocsin.settings import Strategy, WritePath
from tocsin.stampede import Stampede

KEY, TAG = "product:1", "toys"
LEASE_S = 1.0
RHYTHM = Rhythm(lease_s=LEASE_S, beat_every_s=0.45, canary_every_s=2.0, again_after_s=0.3)
TERMS = Terms(writer_s=2.0, token_s=1.5, log_length=6)
NAMED = (Names(keys=(KEY,)), Names(tags=(TAG,)), Names(keys=(KEY,), tags=(TAG,)))


@dataclass(frozen=True)
class Parts:
    """What a mutant may exchange."""

    server: type[MemoryServer] = MemoryServer
    keeper: Callable[[Memory, Callable[[], float]], Keeper] = lambda memory, now: Keeper(memory)
    follower: type[Follower] = Follower
    journal: type[MemoryJournal] = MemoryJournal
    relay: type[Relay] = Relay
    adjust: Callable[[Cache], None] = field(default=lambda cache: None)
    loads_before_lookup: bool = False
    finishes_unknown: bool = False
    relays: bool = True
    boottime: bool = True


@dataclass(frozen=True)
class Climate:
    """What happens often: chances, and what the nemesis draws from, every `nemesis_s` seconds at most."""

    stall: float = 0.2
    slow_load: float = 0.3
    lose_request: float = 0.01
    lose_message: float = 0.15
    disorder: float = 0.15
    delay: float = 0.02
    nemesis: tuple[str, ...] = ("cut", "cut", "snapshot", "snapshot", "restart", "kill", "evict", "trim", "", "")
    nemesis_s: float = 2.0


PLAIN, BRIEF = Policy(), Policy(ttl_s=1.2, early_share=0.4, negative_ttl_s=0.6)
BRIEF_STALE = replace(BRIEF, stale_s=2.0)
SEQUENCED_STAMPEDES = (Stampede.REFRESH_AHEAD, Stampede.XFETCH, Stampede.FILL_TOKEN, Stampede.NONE)
STRICT_STAMPEDES = (Stampede.FILL_TOKEN, Stampede.NONE)


@dataclass(frozen=True)
class Flavour:
    """What differs from schedule to schedule, drawn from the seed.

    How long entries live, what keeps readers from loading at once, whether refreshes run on an actor of their own, how
    often loads fail, and whether there is an edge.
    """

    policy: Policy = PLAIN
    stampede: Stampede | None = None
    background: bool = False
    trouble: float = 0.0
    edge: bool = False

    @property
    def stale_s(self) -> float:
        """For how long what nothing proves may be shown."""
        return 0.0 if self.policy.stale_s == 0 else (self.policy.ttl_s or 0.0) + self.policy.stale_s

    @classmethod
    def drawn(cls, draw: Random, *, strict: bool) -> Flavour:
        """Return one; most schedules are plain."""
        edge = draw.random() < 0.15
        if draw.random() < 0.6:
            return cls(edge=edge)
        return cls(
            policy=draw.choice((BRIEF, BRIEF_STALE, BRIEF_STALE)),
            stampede=draw.choice(STRICT_STAMPEDES if strict else SEQUENCED_STAMPEDES),
            background=draw.random() < 0.5,
            trouble=draw.choice((0.0, 0.3)),
            edge=edge,
        )


@dataclass(frozen=True)
class Setting:
    """What kind of schedule it is; without a flavour each schedule draws its own."""

    strategy: Strategy = Strategy.SEQUENCED
    write_path: WritePath = WritePath.CACHE_ASIDE
    parts: Parts = field(default_factory=Parts)
    climate: Climate = field(default_factory=Climate)
    flavour: Flavour | None = None


OVERLAPS = (
    *("given", "permitted", "writing", "busy", "filled", "late fill refused", "joined", "hit in l1"),
    *("l1 refused: lease", "l1 refused: invalidated", "l1 refused: epoch", "l1 refused: watermark"),
    *("l1 refused: expired", "glimpsed", "refreshed", "given back", "load failed", "stale shown", "negative"),
    *("hit at the edge", "repaired from the log", "request lost", "reply lost", "pending", "relayed"),
    *("cut", "restarted", "agent killed", "log trimmed"),
)
"""What must have happened in a run of some length, or it proved nothing of it."""
