"""A register: one key's life, in the order in which it can be judged.

    versions (sorted, distinct)      11      12      13          a rank is a position in this list
    writes  (by version)           [ – ]   [a────]     [b──∞     b: info, its end unknown
    reads   (by invocation)            [11]  [12]  [11]          the last one: stale

Reads that can't have seen what they returned are set apart here (`phantoms`): a version that nobody wrote condemns its
own read, and must not condemn every later read for being older.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from cluster.checker.anomaly import PhantomKind, PhantomRead, SharedVersion
from cluster.checker.settling import NO_ROW, Settled, audit_by_key, rows_by_key, settle
from cluster.history.columns import History
from cluster.history.operation import BEGINNING, FOREVER, Operation


@dataclass(slots=True)
class Register:
    """What happened to one key: parallel columns. Times in nanoseconds, ranks are positions in `versions`."""

    key: int
    versions: list[int]
    write_rows: list[int]
    write_invoked_ns: list[int]
    write_returned_ns: list[int]
    write_ranks: list[int]
    """Non-decreasing: writes are sorted by version. The baseline is one of them, with NO_ROW."""
    read_rows: array[int] = field(default_factory=lambda: array("I"))
    read_invoked_ns: array[int] = field(default_factory=lambda: array("q"))
    read_returned_ns: array[int] = field(default_factory=lambda: array("q"))
    read_ranks: array[int] = field(default_factory=lambda: array("I"))

    def earliest_newer(
        self, *, reads_too: bool, excepted: Container[tuple[int, int]] = ()
    ) -> tuple[list[int], list[int]]:
        """For each rank: when, at the earliest, an operation with a newer version had returned, and its row.

        Among acknowledged writes or, with `reads_too`, among all operations: an answered read proves the write as well.
        FOREVER and NO_ROW where there is none. (A baseline that is newer has a time and NO_ROW.)
        `excepted`: versions that bind nobody, as (key's number, version).
        """
        earliest = [FOREVER] * len(self.versions)
        rows = [NO_ROW] * len(self.versions)
        for rank, returned, row in zip(self.write_ranks, self.write_returned_ns, self.write_rows, strict=True):
            if returned < earliest[rank]:
                earliest[rank], rows[rank] = returned, row
        if reads_too:
            for rank, returned, row in zip(self.read_ranks, self.read_returned_ns, self.read_rows, strict=True):
                if returned < earliest[rank]:
                    earliest[rank], rows[rank] = returned, row
        newer, newer_row = FOREVER, NO_ROW
        for rank in range(len(self.versions) - 1, -1, -1):
            own, own_row = earliest[rank], rows[rank]
            if excepted and (self.key, self.versions[rank]) in excepted:
                own, own_row = FOREVER, NO_ROW
            earliest[rank], rows[rank] = newer, newer_row
            if own < newer:
                newer, newer_row = own, own_row
        return earliest, rows

    def successor_invoked_ns(self, rank: int) -> int | None:
        """When the write of the very next version was invoked: it was committed no sooner. None: nobody knows."""
        version = self.versions[rank] + 1
        place = bisect_left(self.write_ranks, bisect_left(self.versions, version))
        if place == len(self.write_ranks) or self.versions[self.write_ranks[place]] != version:
            return None
        invoked = self.write_invoked_ns[place]
        return None if invoked == BEGINNING else invoked


def begun_late(ranks: Sequence[int], invoked_ns: Sequence[int], earliest: list[int]) -> list[int]:
    """The places of the operations that began after a newer version had returned (`earliest`, by rank).

    Strictly after: what returns in the instant in which the other begins is concurrent with it. With half-open
    intervals a clock that ticks slowly would convict the innocent.
    """
    columns = zip(ranks, invoked_ns, strict=True)
    return [place for place, (rank, invoked) in enumerate(columns) if earliest[rank] < invoked]


@dataclass(slots=True)
class Registers:
    """All keys of a history, with what was found while they were laid out."""

    history: History
    all: list[Register] = field(default_factory=list)
    phantoms: list[tuple[int, PhantomKind, int]] = field(default_factory=list)
    """(row of the read, why, row of the operation that shows it or NO_ROW)."""
    shared: list[SharedVersion] = field(default_factory=list)
    reads: int = 0
    """How many answered reads of registers there are, phantoms among them."""

    def __iter__(self) -> Iterator[Register]:
        """Each key's register."""
        return iter(self.all)

    def operation(self, row: int) -> Operation | None:
        """The operation in `row`; None for NO_ROW."""
        return None if row == NO_ROW else self.history.operation(row)

    def phantom_reads(self, limit: int) -> list[PhantomRead]:
        """The first `limit` phantoms, as values."""
        return [
            PhantomRead(read=self.history.operation(row), kind=kind, other=self.operation(other))
            for row, kind, other in self.phantoms[:limit]
        ]


def registers(history: History, *, vias: Container[int] | None = None) -> Registers:
    """Lay out every key of `history` that has a write or a version read. O(n log n).

    `vias`: only the reads through these, by number; a history without some of its reads breaks no promise that it kept
    with them. None: all.
    """
    found = Registers(history)
    write_rows, read_rows = rows_by_key(history)
    if vias is not None:
        read_rows = [[row for row in rows if history.via[row] in vias] for rows in read_rows]
    audits = audit_by_key(history)
    for key, (writes, reads, audit) in enumerate(zip(write_rows, read_rows, audits, strict=True)):
        if not writes and not reads:
            continue
        reads.sort(key=history.invoked_ns.__getitem__)
        settled = settle(history, key, writes, reads, audit)
        found.reads += len(reads)
        _note_shared(found, key, settled)
        kept = _without_phantoms(found, settled, reads)
        found.all.append(_lay_out(history, key, settled, kept))
    return found


def _note_shared(found: Registers, key: int, settled: Settled) -> None:
    history = found.history
    for first, second in pairwise(settled.entries):
        if first[0] == second[0]:
            writes = tuple(history.operation(row) for _, _, _, row, _ in (first, second) if row != NO_ROW)
            names = (history.operation_ids[first[4]] or "from before the run", history.operation_ids[second[4]])
            found.shared.append(
                SharedVersion(key=history.keys[key], version=first[0], operation_ids=names, writes=writes)
            )


def _without_phantoms(found: Registers, settled: Settled, reads: list[int]) -> list[int]:
    """The reads that can have seen what they returned; the others go to `found.phantoms`."""
    history = found.history
    barred, unplaced_ns = settled.barred, settled.unplaced_ns
    # Without a baseline nobody knows the versions from before the run: those below the first write are taken as such.
    unknown_below = settled.entries[0][0] if settled.entries else FOREVER
    writers: dict[int, tuple[int, int, set[int]]] = {}
    values: dict[int, tuple[int, int]] = {}
    for version, invoked, _, row, operation_id in settled.entries:
        writers.setdefault(version, (invoked, row, set()))[2].add(operation_id)
        if row != NO_ROW and history.digest[row]:
            values[version] = (history.digest[row], row)
    kept = []
    for row in reads:
        version, operation_id, digest = history.version[row], history.operation_id[row], history.digest[row]
        writer = writers.get(version)
        kind, other = None, NO_ROW
        if operation_id in barred:
            kind = barred[operation_id]
        elif writer is None:
            if version >= unknown_below and (operation_id or unplaced_ns > history.returned_ns[row]):
                kind = PhantomKind.NEVER_WRITTEN
        elif writer[0] > history.returned_ns[row]:
            kind, other = PhantomKind.FROM_THE_FUTURE, writer[1]
        # 0: what was there before the run; nobody knows which write that was.
        elif operation_id and operation_id not in writer[2] and 0 not in writer[2]:
            kind, other = PhantomKind.WRONG_VALUE, writer[1]
        if kind is None and digest:
            value = values.setdefault(version, (digest, row))
            if value[0] != digest:
                kind, other = PhantomKind.TWO_VALUES, value[1]
        if kind is None:
            kept.append(row)
        else:
            found.phantoms.append((row, kind, other))
    return kept


def _lay_out(history: History, key: int, settled: Settled, reads: list[int]) -> Register:
    read_versions = [history.version[row] for row in reads]
    versions = sorted({*(entry[0] for entry in settled.entries), *read_versions})
    ranks = {version: rank for rank, version in enumerate(versions)}
    return Register(
        key=key,
        versions=versions,
        write_rows=[entry[3] for entry in settled.entries],
        write_invoked_ns=[entry[1] for entry in settled.entries],
        write_returned_ns=[entry[2] for entry in settled.entries],
        write_ranks=[ranks[entry[0]] for entry in settled.entries],
        read_rows=array("I", reads),
        read_invoked_ns=array("q", [history.invoked_ns[row] for row in reads]),
        read_returned_ns=array("q", [history.returned_ns[row] for row in reads]),
        read_ranks=array("I", [ranks[version] for version in read_versions]),
    )
