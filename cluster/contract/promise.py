"""A promise, as a value: which property, of which reads, when, and within which bound."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

MS = 1_000_000


class Scope(StrEnum):
    """Whose answers a promise is about: the workers' own, the edge's, or everybody's."""

    ALL = "all"
    WORKERS = "workers"
    EDGE = "edge"


class When(StrEnum):
    """Of which reads: all, those before the first fault, or those after everything was healed."""

    ALWAYS = "always"
    HEALTH = "health"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise. `text` is it in words, for people.

    `bound_ns`: of `staleness`. `repair_ns` is added to it where the newer write had no good end: its writer died, or
    could not reach Redis, and somebody else had to tell. `delivery`: about something that must arrive in time, not
    about a deadline by the reader's own clock; a pause of the whole machine, seen by the driver, is then discounted.
    `void_after_loss`: not promised in a run in which Redis lost its memory. `loss_window_ns`: of `lost write`, how long
    before such a loss an acknowledged write may have been lost with it. `stalls_excused`: a write that took
    longer than its deadline, or whose end nobody knows, binds nobody.
    """

    property: str
    text: str
    scope: Scope = Scope.ALL
    when: When = When.ALWAYS
    bound_ns: int = 0
    repair_ns: int = 0
    delivery: bool = False
    void_after_loss: bool = False
    loss_window_ns: int = 0
    stalls_excused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """What must have been seen before `valid` means anything.

    `reads_min`, `writes_min`: answered by workers, and acknowledged, while the faults were in force. `hits_min`: share
    of the workers' answers that came from a cache (0: a strategy that keeps nothing).
    """

    reads_min: int = 50
    writes_min: int = 5
    hits_min: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """All that a strategy promises; `summary` in one line."""

    strategy: str
    write_path: str
    summary: str
    promises: tuple[Promise, ...]
    gates: Gates = field(default_factory=Gates)
