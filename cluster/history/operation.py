"""One operation of a history: a call and its return, and the few words that describe it.

The words are those of docs/contract.md and of Jepsen: an outcome is `ok` (it happened), `fail` (it did not) or `info`
(nobody knows: the reply was lost after the request was sent). Times are nanoseconds of the driver's monotonic clock.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

FOREVER = 2**63 - 1
"""The return of an operation whose end nobody saw: after everything."""
BEGINNING = -(2**63)
"""The invocation of a write that was there before the history: before everything."""
NO_VERSION = -1
"""The version of an answer that names none (a personal page, a failed call)."""
ABSENT = 0
"""The version of what does not exist: a 404. Versions of rows start at 1."""


class HistoryError(Exception):
    """A history that can't be read. The text names the file, the line and what is wrong with it."""


class Kind(StrEnum):
    """What an operation does to its key."""

    READ = "read"
    WRITE = "write"


class Outcome(StrEnum):
    """How an operation ended: it happened, it did not, or nobody knows."""

    OK = "ok"
    FAIL = "fail"
    INFO = "info"


class Phase(StrEnum):
    """The part of a run in which an operation was invoked."""

    WARM = "warm"
    FAULT = "fault"
    HEAL = "heal"
    SETTLE = "settle"
    FINAL = "final"


class Layer(StrEnum):
    """Who answered, by the answer's own `Cache-Status`: it explains a verdict, it never convicts."""

    NONE = ""
    EDGE = "edge"
    L1 = "l1"
    L2 = "l2"
    DATABASE = "database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One row of a history.

    `via` is whom the driver asked (`edge`, or a worker by name): known, not claimed. `node`, `worker` and `layer` are
    what the answer said of itself. `operation_id` is a write's own id; in a read, the id that the value carried.
    `late_ns` is how long after its scheduled arrival the request was sent; `owner` whose data a personal answer held.
    """

    row: int
    index: int
    kind: Kind
    outcome: Outcome
    phase: Phase
    key: str
    via: str
    process: int
    session: str
    user: str
    owner: str
    invoked_ns: int
    returned_ns: int
    late_ns: int
    version: int
    operation_id: str
    digest: int
    status: int
    node: str
    worker: str
    layer: Layer
    error: str
