"""Behind: write-behind as a caller sees it, on top of the `Journal` port.

    request ── write ──▶ Redis (acknowledged, "durable": false) ── drain ──▶ database

What always holds: unlike a commit, a write-behind write can't be pending. If Redis does not take it, it did not happen
and the caller is told so by `Unavailable`; if Redis did not answer, the caller is told that it may have happened.
"""

from collections.abc import Sequence

from tocsin.coherence import Coherence
from tocsin.errors import Unavailable
from tocsin.journal import Accepted, Behind, Journal, Operation, Outcome
from tocsin.observer import Observer
from tocsin.writing import Writer


class WriteBehind:
    """Takes write-behind writes, and hands them to whoever drains them into the database."""

    def __init__(self, *, parts: Coherence, journal: Journal, writer: Writer, observer: Observer) -> None:
        self._parts = parts
        self._journal = journal
        self._writer = writer
        self._observer = observer

    def write(self, behind: Behind) -> Outcome:
        """Acknowledge a write before the database has it; raise `Unavailable` if Redis did not take it."""
        try:
            outcome = self._journal.write(behind, self._parts.addressing.invalidation(behind.names))
        except Unavailable:
            self._writer.forget(behind.names)  # the answer may be lost and the write have happened
            raise
        if isinstance(outcome, Accepted):
            self._writer.forget(behind.names)
            self._observer.invalidated(behind.names, "write")
        return outcome

    def pending(self, limit: int) -> Sequence[Operation]:
        """Return the oldest operations, at most `limit`, in the order in which they were written."""
        return self._journal.pending(limit)

    def drained(self, operation: Operation) -> None:
        """Say, after the commit, that the database has `operation`; safe to repeat."""
        self._journal.drained(operation, self._parts.addressing.invalidation(operation.names))
        self._writer.forget(operation.names)
        self._observer.invalidated(operation.names, "drain")

    def waiting(self) -> int:
        """Return how many operations the database does not have yet."""
        return self._journal.waiting()
