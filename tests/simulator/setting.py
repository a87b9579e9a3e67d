"""Setting: what kind of schedule it is: strategy, write path, how rough it is, and which parts a mutant exchanges."""

# ruff: noqa: ARG005  # a replacement takes what the replaced took

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tocsin.cache import Cache
from tocsin.follower import Follower, Rhythm
from tocsin.generation import Keeper, Memory
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.names import Names
from tocsin.relay import Relay
from tocsin.sequencer import Terms
from tocsin.settings import Strategy, WritePath

KEY, TAG = "product:1", "toys"
LEASE_S = 1.0
RHYTHM = Rhythm(lease_s=LEASE_S, beat_every_s=0.45, canary_every_s=1.2, again_after_s=0.3)
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
    fenced: bool = True
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


@dataclass(frozen=True)
class Setting:
    """What kind of schedule it is."""

    strategy: Strategy = Strategy.SEQUENCED
    write_path: WritePath = WritePath.CACHE_ASIDE
    parts: Parts = field(default_factory=Parts)
    climate: Climate = field(default_factory=Climate)


OVERLAPS = (
    *("given", "permitted", "writing", "busy", "filled", "late fill refused", "joined", "hit in l1"),
    *("l1 refused: lease", "l1 refused: invalidated", "l1 refused: epoch", "l1 refused: watermark"),
    *("repaired from the log", "request lost", "reply lost", "pending", "relayed"),
    *("cut", "restarted", "agent killed", "log trimmed"),
)
"""What must have happened in a run of some length, or it proved nothing of it."""
