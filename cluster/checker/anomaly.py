"""The ways in which a promise can be broken. Each is a value that holds its evidence and can tell its story.

A story names who, what and when; times are seconds after the origin that the reader chooses.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cluster.history.operation import ABSENT, FOREVER, NO_VERSION, Kind, Operation


class Anomaly(Protocol):
    """A counterexample."""

    def witness(self, origin_ns: int = 0) -> str:
        """What happened, in prose; times counted from `origin_ns`."""
        ...


def _at(time_ns: int, origin_ns: int) -> str:
    if time_ns == FOREVER:
        return "an unknown time"
    return f"{(time_ns - origin_ns) / 1e9:.3f} s"


def _ms(duration_ns: int) -> str:
    return f"{duration_ns / 1e6:.1f} ms"


def _version(version: int) -> str:
    return "no such thing (404)" if version == ABSENT else f"version {version}"


def _who(operation: Operation) -> str:
    """Who did it, through whom, and what: `session s3's read of product:7 through edge (#17)`."""
    client = f"session {operation.session}" if operation.session else f"process {operation.process}"
    deed = f"write {operation.operation_id}" if operation.kind is Kind.WRITE else "read"
    return f"{client}'s {deed} of {operation.key} through {operation.via} (#{operation.index})"


def _says(operation: Operation) -> str:
    """What the answer said of where it came from."""
    said = [part for part in (operation.worker or operation.node, operation.layer.value) if part]
    return f" (it says: {', '.join(said)})" if said else ""


def _known(newer: Operation | None, origin_ns: int) -> str:
    """How a newer version was known; None: it was there before the run."""
    if newer is None:
        return "a newer version was committed before the run began"
    act = "been acknowledged to" if newer.kind is Kind.WRITE else "been seen by"
    return f"{_version(newer.version)} had {act} {_who(newer)} at {_at(newer.returned_ns, origin_ns)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaleRead:
    """A read returned a version although a newer one had been acknowledged before the read began.

    `newer` is the earliest such write (None: from before the run). Stale by at least `at_least_ns`, from the return of
    the newer write to the read's beginning; by at most `at_most_ns`, from that write's beginning to the read's end
    (None: the next version's write is not in the history).
    """

    read: Operation
    newer: Operation | None
    at_least_ns: int
    at_most_ns: int | None

    def witness(self, origin_ns: int = 0) -> str:
        """The read, what it should have known, and by how much it is late."""
        most = "an unknown time" if self.at_most_ns is None else _ms(self.at_most_ns)
        return (
            f"{_who(self.read)} began at {_at(self.read.invoked_ns, origin_ns)} and returned "
            f"{_version(self.read.version)}{_says(self.read)}, but {_known(self.newer, origin_ns)}: "
            f"stale by {_ms(self.at_least_ns)} to {most}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NewOldInversion:
    """A read returned an older version than an earlier read had shown, while no acknowledged write condemns it."""

    read: Operation
    newer: Operation

    def witness(self, origin_ns: int = 0) -> str:
        """The two reads."""
        return (
            f"{_who(self.read)} began at {_at(self.read.invoked_ns, origin_ns)} and returned "
            f"{_version(self.read.version)}{_says(self.read)}, but {_known(self.newer, origin_ns)}: new, then old"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOutOfOrder:
    """A write got a version below one that was known before the write began."""

    write: Operation
    newer: Operation | None

    def witness(self, origin_ns: int = 0) -> str:
        """The write, and what came before it."""
        return (
            f"{_who(self.write)} began at {_at(self.write.invoked_ns, origin_ns)} and became "
            f"{_version(self.write.version)}, but {_known(self.newer, origin_ns)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedVersion:
    """Two writes became the same version: one of them overwrote the other unseen.

    `writes` are those of the two that are operations of this history.
    """

    key: str
    version: int
    operation_ids: tuple[str, str]
    writes: tuple[Operation, ...]

    def witness(self, origin_ns: int = 0) -> str:
        """The two writes, and when those of this history were answered."""
        first, second = self.operation_ids
        when = "".join(f"; {_who(each)} ended at {_at(each.returned_ns, origin_ns)}" for each in self.writes)
        return f"the writes {first} and {second} of {self.key} both became {_version(self.version)}{when}"


class PhantomKind(StrEnum):
    """Why a read can't have seen what it returned."""

    NEVER_WRITTEN = "no write became that version"
    FROM_THE_FUTURE = "its write began after the read had ended"
    ABORTED = "it carries a write that failed"
    UNCOMMITTED = "it carries a write that is not in the audit table"
    WRONG_VALUE = "it carries another write than the one that became that version"
    TWO_VALUES = "another answer of the same version holds another value"


@dataclass(frozen=True, slots=True, kw_only=True)
class PhantomRead:
    """A read returned what nobody had written; `other` is the operation that shows it, where there is one."""

    read: Operation
    kind: PhantomKind
    other: Operation | None

    def witness(self, origin_ns: int = 0) -> str:
        """The read, and why it can't be."""
        carrying = f" carrying write {self.read.operation_id}" if self.read.operation_id else ""
        shown = f"; see {_who(self.other)}" if self.other else ""
        return (
            f"{_who(self.read)} ended at {_at(self.read.returned_ns, origin_ns)} and returned "
            f"{_version(self.read.version)}{carrying}{_says(self.read)}, but {self.kind.value}{shown}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WentBack:
    """A session was shown an older version than the one it had `seen` (by reading, or by writing)."""

    read: Operation
    seen: Operation

    def witness(self, origin_ns: int = 0) -> str:
        """The session's two operations."""
        before = "been told that its own write became" if self.seen.kind is Kind.WRITE else "been shown"
        return (
            f"session {self.read.session} had {before} {_version(self.seen.version)} of {self.read.key} by "
            f"{_at(self.seen.returned_ns, origin_ns)} (#{self.seen.index}); its read through {self.read.via} "
            f"(#{self.read.index}), begun at {_at(self.read.invoked_ns, origin_ns)}, returned "
            f"{_version(self.read.version)}{_says(self.read)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowToConverge:
    """`via` still answered with an older version `after_ns` after the write returned; `read` is the last that did.

    `censored`: no later read through `via` showed the write at all, so the true time is longer.
    """

    write: Operation
    read: Operation
    after_ns: int
    censored: bool

    def witness(self, origin_ns: int = 0) -> str:
        """The write and the last answer without it."""
        end = " and never showed it" if self.censored else ""
        return (
            f"{_who(self.write)} was acknowledged as {_version(self.write.version)} at "
            f"{_at(self.write.returned_ns, origin_ns)}; {self.read.via} still returned {_version(self.read.version)} "
            f"{_ms(self.after_ns)} later (#{self.read.index}){end}{_says(self.read)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagreement:
    """After all had come to rest, somebody still answered with another version than the `latest`."""

    read: Operation
    latest: int

    def witness(self, origin_ns: int = 0) -> str:
        """Who disagrees."""
        return (
            f"with nothing in flight any more, {self.read.via} returned {_version(self.read.version)} of "
            f"{self.read.key} at {_at(self.read.returned_ns, origin_ns)} (#{self.read.index}){_says(self.read)}; "
            f"the latest is {_version(self.latest)}"
        )


class LossKind(StrEnum):
    """How an answer to a write and the audit table contradict each other."""

    MISSING = "was acknowledged, but is not in the audit table"
    OTHER_VERSION = "was acknowledged as another version than the audit table has"
    FAILED_YET_COMMITTED = "was refused, but is in the audit table"
    TWICE = "is in the audit table more than once"


@dataclass(frozen=True, slots=True, kw_only=True)
class LostWrite:
    """A write whose answer was not true; `committed` is the version that the audit table has, or NO_VERSION."""

    write: Operation
    kind: LossKind
    committed: int

    def witness(self, origin_ns: int = 0) -> str:
        """The write, its answer and its fate."""
        fate = "" if self.committed == NO_VERSION else f" (committed as {_version(self.committed)})"
        answer = "" if self.write.version == NO_VERSION else f", answered {_version(self.write.version)}"
        return f"{_who(self.write)}{answer} at {_at(self.write.returned_ns, origin_ns)}, {self.kind.value}{fate}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """An answer held another user's data."""

    read: Operation

    def witness(self, origin_ns: int = 0) -> str:
        """Whose data went to whom."""
        return (
            f"{_who(self.read)}, signed in as {self.read.user}, was given {self.read.owner}'s data at "
            f"{_at(self.read.returned_ns, origin_ns)}{_says(self.read)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stampede:
    """Many reads at once went to the database for one version of one key; `first` is the first of that crowd."""

    first: Operation
    loads: int

    def witness(self, origin_ns: int = 0) -> str:
        """How many, for what, when."""
        return (
            f"{self.loads} reads at once say that they loaded {_version(self.first.version)} of {self.first.key} from "
            f"the database, from {_at(self.first.invoked_ns, origin_ns)} on (#{self.first.index})"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Unavailable:
    """Too small a share of the operations of one kind got an answer in one phase; `first` is the first without."""

    first: Operation
    answered: int
    asked: int

    def witness(self, origin_ns: int = 0) -> str:
        """How many of what, when."""
        return (
            f"{self.answered} of {self.asked} {self.first.kind.value}s in phase {self.first.phase.value} were "
            f"answered; the first that was not: {_who(self.first)} at {_at(self.first.invoked_ns, origin_ns)} "
            f"({self.first.error or self.first.status})"
        )
