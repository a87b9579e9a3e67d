"""Linearizable, per key: each operation seems to happen at one instant between its call and its return.

With versions in commit order the rule is a comparison per operation (testbeds: the same verdict as a brute-force search
on 100,000 random histories): a read returns no less than every version that any operation had returned before it began;
a write becomes more than all of these; no two writes share a version; and nothing is a phantom. Linearizability is
local (Herlihy and Wing, 1990): a history is linearizable if each key is.
"""

from __future__ import annotations

from collections.abc import Container

from cluster.checker.anomaly import Anomaly, NewOldInversion, WriteOutOfOrder
from cluster.checker.register import Register, Registers, begun_late
from cluster.checker.settling import NO_ROW
from cluster.checker.staleness import stale_read
from cluster.checker.verdict import KEPT_MAX, Verdict, verdict


def linearizable(
    registers: Registers, *, operations_min: int = 1, excepted: Container[tuple[int, int]] = ()
) -> Verdict:
    """Whether each key's history is linearizable; valid needs at least `operations_min` operations.

    A StaleRead is condemned by an acknowledged write, a NewOldInversion only by what another read had shown.
    `excepted`: versions that bind nobody, as (key's number, version).
    """
    found = len(registers.phantoms) + len(registers.shared)
    anomalies: list[Anomaly] = [*registers.phantom_reads(KEPT_MAX), *registers.shared]
    checked = len(registers.phantoms)
    for register in registers:
        earliest, rows = register.earliest_newer(reads_too=True, excepted=excepted)
        checked += len(register.read_rows) + len(register.write_rows)
        reads = begun_late(register.read_ranks, register.read_invoked_ns, earliest)
        # The baseline was invoked before everything, so it is never out of order; nor is somebody else's write.
        writes = begun_late(register.write_ranks, register.write_invoked_ns, earliest)
        found += len(reads) + len(writes)
        if len(anomalies) < KEPT_MAX:
            anomalies += _late_reads(registers, register, reads[:KEPT_MAX], rows)
            anomalies += _late_writes(registers, register, writes[:KEPT_MAX], rows)
    return verdict(
        "linearizable",
        checked=checked,
        checked_min=operations_min,
        found=found,
        things="operations",
        flaw="are out of order",
        anomalies=anomalies,
    )


def _late_reads(registers: Registers, register: Register, places: list[int], rows: list[int]) -> list[Anomaly]:
    """The anomalies of the reads at `places`; `rows`: for each rank, what had shown a newer version first."""
    if not places:
        return []
    acknowledged, writes = register.earliest_newer(reads_too=False)
    anomalies: list[Anomaly] = []
    for place in places:
        rank = register.read_ranks[place]
        lateness = register.read_invoked_ns[place] - acknowledged[rank]
        if lateness > 0:
            anomalies.append(stale_read(registers, register, place, lateness_ns=lateness, newer_row=writes[rank]))
        else:
            assert rows[rank] != NO_ROW, "without an acknowledged write it was a read that showed it"
            operation = registers.history.operation
            anomalies.append(NewOldInversion(read=operation(register.read_rows[place]), newer=operation(rows[rank])))
    return anomalies


def _late_writes(registers: Registers, register: Register, places: list[int], rows: list[int]) -> list[Anomaly]:
    return [
        WriteOutOfOrder(
            write=registers.history.operation(register.write_rows[place]),
            newer=registers.operation(rows[register.write_ranks[place]]),
        )
        for place in places
    ]
