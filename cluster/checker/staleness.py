"""Staleness: by how much is a read late? An interval, because nobody outside sees the instant of a commit.

        write v+1        |invoked────────returned|
        read v                                      |invoked──────returned|
        at least                                 ├──┤                        what no clock error can explain away
        at most          ├────────────────────────────────────────────────┤  if it committed at once, and was read last

at least = max(0, read.invoked − the earliest return among operations with a newer version): the smallest shift of the
reads that would make the history linearizable (Golab, Li and Shah, "Analyzing consistency properties for fun and
profit", PODC 2011: Δ-atomicity). at most = read.returned − invocation of the write of the next version.
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterable
from dataclasses import dataclass
from heapq import nlargest

from cluster.checker.anomaly import StaleRead
from cluster.checker.register import Register, Registers, begun_late
from cluster.checker.verdict import KEPT_MAX, Decision, Verdict, decide


@dataclass(frozen=True, slots=True)
class StaleReads:
    """Every stale read, in parallel columns: its row, by how much it is late at least, the row of the operation that
    had shown a newer version first (NO_ROW: the baseline). `registers` and `places` say where to find the rest of it.
    """

    laid_out: Registers
    rows: array[int]
    at_least_ns: array[int]
    newer_rows: array[int]
    registers: array[int]
    places: array[int]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.rows)

    @property
    def worst(self) -> tuple[StaleRead, ...]:
        """The evidence of the stalest, at most KEPT_MAX of them."""
        return self.evidence(nlargest(KEPT_MAX, range(len(self.rows)), key=self.at_least_ns.__getitem__))

    def evidence(self, numbers: Iterable[int]) -> tuple[StaleRead, ...]:
        """The evidence of these, by their position in the columns."""
        return tuple(
            stale_read(
                self.laid_out,
                self.laid_out.all[self.registers[number]],
                self.places[number],
                lateness_ns=self.at_least_ns[number],
                newer_row=self.newer_rows[number],
            )
            for number in numbers
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Staleness(Verdict):
    """The verdict, and the worst staleness seen: at least, and at most (None: the next write is not known)."""

    worst_at_least_ns: int
    worst_at_most_ns: int | None


def stale_reads(registers: Registers, *, reads_too: bool, among: Container[int] | None = None) -> StaleReads:
    """The reads that began after a newer version was known to be there.

    Known by an acknowledged write or, with `reads_too`, by any operation that had returned it. `among`: judge only the
    reads in these rows; all others still bear witness. O(n) once laid out.
    """
    found = StaleReads(registers, array("I"), array("q"), array("q"), array("I"), array("I"))
    for number, register in enumerate(registers):
        earliest, newer_rows = register.earliest_newer(reads_too=reads_too)
        for place in begun_late(register.read_ranks, register.read_invoked_ns, earliest):
            if among is not None and register.read_rows[place] not in among:
                continue
            rank = register.read_ranks[place]
            found.rows.append(register.read_rows[place])
            found.at_least_ns.append(register.read_invoked_ns[place] - earliest[rank])
            found.newer_rows.append(newer_rows[rank])
            found.registers.append(number)
            found.places.append(place)
    return found


def staleness(registers: Registers, *, bound_ns: int | None = None, reads_min: int = 1) -> Staleness:
    """How stale reads were and, with a bound, whether none was staler than `bound_ns`.

    Only a read that is late by *at least* more than the bound convicts. Valid needs at least `reads_min` reads.
    """
    stale = stale_reads(registers, reads_too=True)
    checked = registers.reads - len(registers.phantoms)
    worst = stale.worst
    beyond = [] if bound_ns is None else [each for each in worst if each.at_least_ns > bound_ns]
    found = 0 if bound_ns is None else sum(lateness > bound_ns for lateness in stale.at_least_ns)
    flaw = f"were staler than {(bound_ns or 0) / 1e6:g} ms"
    decision, reason = decide(checked=checked, checked_min=reads_min, found=found, things="reads", flaw=flaw)
    if bound_ns is None and decision is Decision.VALID:
        reason = f"{len(stale)} of {checked} reads were stale; no bound was promised"
    return Staleness(
        property="staleness",
        decision=decision,
        reason=reason,
        checked=checked,
        found=found,
        anomalies=tuple(beyond),
        worst_at_least_ns=worst[0].at_least_ns if worst else 0,
        worst_at_most_ns=worst[0].at_most_ns if worst else 0,
    )


def stale_read(registers: Registers, register: Register, place: int, *, lateness_ns: int, newer_row: int) -> StaleRead:
    """The evidence of one stale read, which is at `place` in `register` and late by at least `lateness_ns`.

    `newer_row`: the row of the operation that had shown a newer version first, or NO_ROW for the baseline.
    """
    committed = register.successor_invoked_ns(register.read_ranks[place])
    at_most = None if committed is None else register.read_returned_ns[place] - committed
    return StaleRead(
        read=registers.history.operation(register.read_rows[place]),
        newer=registers.operation(newer_row),
        at_least_ns=lateness_ns,
        # A write that got its version out of order can begin after it was needed: never less than what is proven.
        at_most_ns=None if at_most is None else max(lateness_ns, at_most),
    )
