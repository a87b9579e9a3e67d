"""Regular: no read is stale. (Lamport, "On Interprocess Communication", 1986; here for many writers, in commit order.)

A read is stale if a newer write had been *acknowledged* before the read began. What other readers saw does not matter
here: a value seen new and then old, without such a write, is a NewOldInversion, which `linearizable` counts.
"""

from __future__ import annotations

from cluster.checker.register import Registers
from cluster.checker.staleness import stale_reads
from cluster.checker.verdict import Verdict, verdict


def regular(registers: Registers, *, reads_min: int = 1) -> Verdict:
    """Whether no read was stale; valid needs at least `reads_min` reads. The stalest reads are kept as evidence."""
    stale = stale_reads(registers, reads_too=False)
    checked = registers.reads - len(registers.phantoms)
    return verdict(
        "regular",
        checked=checked,
        checked_min=reads_min,
        found=len(stale),
        things="reads",
        flaw="were stale",
        anomalies=stale.worst,
    )
