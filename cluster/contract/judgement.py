"""The decision on a run: promises first, then gates. Invalid outranks unknown, which outranks valid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cluster.checker.judgement import judge
from cluster.checker.verdict import Decision, merge
from cluster.contract.case import Case
from cluster.contract.gates import gates
from cluster.contract.keeping import keep
from cluster.contract.promise import Contract
from cluster.record.run import FaultRecord, GateRecord, PhaseRecord, PromiseRecord, VerdictRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What was decided, why, and from what."""

    decision: Decision
    reason: str
    promises: tuple[PromiseRecord, ...]
    gates: tuple[GateRecord, ...]
    verdicts: tuple[VerdictRecord, ...]


def judge_case(
    case: Case,
    contract: Contract,
    *,
    faults: Sequence[FaultRecord],
    phases: Sequence[PhaseRecord],
    nodes: int,
    origin_ns: int,
) -> Judged:
    """Judge a case by a contract. The same inputs give the same decision, whenever and wherever."""
    promises = tuple(keep(case, promise, origin_ns) for promise in contract.promises)
    passed = gates(case, contract.gates, faults=faults, phases=phases, nodes=nodes)
    decision, reason = decide(promises, passed)
    return Judged(
        decision=decision, reason=reason, promises=promises, gates=passed, verdicts=_verdicts(case, origin_ns)
    )


def decide(promises: Sequence[PromiseRecord], passed: Sequence[GateRecord]) -> tuple[Decision, str]:
    """The decision, and the first reason for it."""
    decision = merge([each.decision for each in promises] or [Decision.UNKNOWN])
    if decision is Decision.VALID and not all(gate.passed for gate in passed):
        decision = Decision.UNKNOWN
    if decision is Decision.VALID:
        return decision, f"all {len(promises)} promises were kept"
    reasons = [f"{each.property}: {each.reason}" for each in promises if each.decision is decision]
    if decision is Decision.UNKNOWN:
        reasons += [f"{gate.gate}: {gate.reason}" for gate in passed if not gate.passed]
    return decision, reasons[0] if reasons else "nothing was promised"


def _verdicts(case: Case, origin_ns: int) -> tuple[VerdictRecord, ...]:
    return tuple(
        VerdictRecord(
            property=each.property,
            decision=each.decision,
            reason=each.reason,
            checked=each.checked,
            found=each.found,
            witness=each.anomalies[0].witness(origin_ns) if each.anomalies else "",
        )
        for each in judge(case.history).verdicts
    )
