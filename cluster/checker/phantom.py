"""Phantom: an answer that nobody can have written.

A read is a phantom if no write became its version, if its write began after the read had ended, if it carries a write
that failed or that the complete audit does not know, if it carries another write than the one of its version, or if two
answers of one version hold different values. (Aborted reads and reads out of thin air in the terms of Adya, 1999.)
"""

from __future__ import annotations

from cluster.checker.register import Registers
from cluster.checker.verdict import KEPT_MAX, Verdict, verdict


def phantom(registers: Registers, *, reads_min: int = 1) -> Verdict:
    """Whether every answer was really written; valid needs at least `reads_min` reads."""
    return verdict(
        "phantom",
        checked=registers.reads,
        checked_min=reads_min,
        found=len(registers.phantoms),
        things="reads",
        flaw="are phantoms",
        anomalies=registers.phantom_reads(KEPT_MAX),
    )
