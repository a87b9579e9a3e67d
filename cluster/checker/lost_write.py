"""Lost write: was every answer to a write true?

The audit table, read when nothing was in flight any more, is the database's own account: one row per committed write.
An acknowledged write must be in it, once, as the version that was acknowledged; a refused one must not; and no two
writes may have become the same version (the second overwrote the first unseen).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from cluster.checker.anomaly import Anomaly, LossKind, LostWrite
from cluster.checker.register import Registers
from cluster.checker.verdict import Decision, Verdict, verdict
from cluster.history.columns import FAIL, OK, WRITE, History
from cluster.history.operation import NO_VERSION


def lost_write(registers: Registers, *, writes_min: int = 1) -> Verdict:
    """Whether every acknowledged write is in the database, as it was acknowledged.

    Valid needs the complete audit, and at least `writes_min` acknowledged writes; without the audit only two writes of
    one version convict.
    """
    history = registers.history
    checked = sum(kind == WRITE and outcome == OK for kind, outcome in zip(history.kind, history.outcome, strict=True))
    anomalies = untrue_answers(registers)
    found = verdict(
        "lost write",
        checked=checked,
        checked_min=writes_min,
        found=len(anomalies),
        things="acknowledged writes",
        flaw="were lost, or not what was answered",
        anomalies=anomalies,
    )
    if found.decision is Decision.VALID and not history.audited:
        reason = "the audit table was not read, so nobody knows what was committed"
        return replace(found, decision=Decision.UNKNOWN, reason=reason)
    return found


def untrue_answers(registers: Registers) -> list[Anomaly]:
    """Every write whose answer was not true, and every two that became the same version; the former need the audit."""
    anomalies: list[Anomaly] = list(registers.shared)
    if registers.history.audited:
        anomalies += _contradictions(registers.history)
    return anomalies


def _contradictions(history: History) -> Iterator[LostWrite]:
    rows = Counter(history.audit_operation_ids)
    versions = dict(zip(history.audit_operation_ids, history.audit_versions, strict=True))
    for row, (kind, outcome, operation_id) in enumerate(
        zip(history.kind, history.outcome, history.operation_id, strict=True)
    ):
        if kind != WRITE:
            continue
        committed = versions.get(operation_id, NO_VERSION)
        loss = None
        if rows[operation_id] > 1:
            loss = LossKind.TWICE
        elif outcome == OK and committed == NO_VERSION:
            loss = LossKind.MISSING
        elif outcome == OK and history.version[row] not in (committed, NO_VERSION):
            loss = LossKind.OTHER_VERSION
        elif outcome == FAIL and committed != NO_VERSION:
            loss = LossKind.FAILED_YET_COMMITTED
        if loss is not None:
            yield LostWrite(write=history.operation(row), kind=loss, committed=committed)
