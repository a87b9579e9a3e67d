"""Vacuity gates: what must have been seen, each just missed and just met; and how a run is decided."""

from __future__ import annotations

from cluster.checker.verdict import Decision
from cluster.contract.case import Case
from cluster.contract.gates import gates
from cluster.contract.judgement import decide
from cluster.contract.promise import Gates
from cluster.fault.port import Evidence, Plan
from cluster.record.run import FaultRecord, GateRecord, PhaseRecord, PromiseRecord
from tests.checker.notation import history

W1, W2 = "via=node-1/worker-1", "via=node-2/worker-1"
TEXT = f"""
baseline x=1
- read x=1 0..1 {W1} layer=l1 op=-
- read x=1 2..3 {W2} layer=database op=-
s1 write x=2 20..25
- read x=2 30..31 {W1} layer=database
- read x=2 32..33 {W2} layer=l2
fault kill-node node-3 10..50
"""
NEEDED = Gates(reads_min=2, writes_min=1, hits_min=0.5)
KILL = FaultRecord(plan=Plan(fault="kill-node"), planned_s=0)


def found(
    text: str = TEXT,
    needed: Gates = NEEDED,
    *,
    faults: tuple[FaultRecord, ...] = (),
    phases: tuple[PhaseRecord, ...] = (),
    nodes: int = 2,
) -> dict[str, GateRecord]:
    return {each.gate: each for each in gates(Case(history(text)), needed, faults=faults, phases=phases, nodes=nodes)}


def test_enough_was_seen() -> None:
    """Two reads and a write in the fault, half of the answers from a cache, both nodes read again what was written."""
    assert all(gate.passed for gate in found().values()), found()
    assert set(found()) == {"machine", "reads in the fault", "writes in the fault", "hits", "could go stale"}


def test_what_was_seen_outside_of_the_fault_does_not_count() -> None:
    """Reads and writes before the fault, and after its heal, say nothing about it."""
    late = TEXT.replace("10..50", "60..90")
    assert not found(late)["reads in the fault"].passed
    assert not found(late)["writes in the fault"].passed
    assert not found(late)["could go stale"].passed


def test_cold_caches_prove_nothing() -> None:
    """One hit fewer."""
    assert not found(TEXT.replace("layer=l2", "layer=database"))["hits"].passed


def test_a_node_that_never_held_what_was_written_could_not_go_stale() -> None:
    """Its first read came after the write; or it was not asked again; or there is a node that was never asked."""
    never_before = TEXT.replace(f"- read x=1 2..3 {W2} layer=database op=-\n", "")
    assert not found(never_before)["could go stale"].passed
    never_again = TEXT.replace(f"- read x=2 32..33 {W2} layer=l2\n", "")
    assert not found(never_again)["could go stale"].passed
    assert not found(nodes=3)["could go stale"].passed


def test_a_fault_without_evidence_does_not_pass() -> None:
    """Not asked, not taken, or failed; only one that took effect passes."""
    took = Evidence(took=True, text="pid 811 is gone")
    name = "evidence of kill-node"

    def with_evidence(evidence: Evidence | None, error: str = "") -> GateRecord:
        return found(faults=(FaultRecord(plan=KILL.plan, planned_s=0, evidence=evidence, error=error),))[name]

    assert with_evidence(took).passed
    assert not with_evidence(None).passed
    assert not with_evidence(Evidence(took=False, text="it lives")).passed
    assert with_evidence(took, error="it could not be healed").reason == "it could not be healed"
    assert not with_evidence(took, error="it could not be healed").passed


def test_a_machine_that_is_too_busy_proves_nothing() -> None:
    """One request of a few left more than a second late; a second is still good."""
    assert found(TEXT.replace("32..33", "32..33 late=1000"))["machine"].passed
    assert not found(TEXT.replace("32..33", "32..33 late=1001"))["machine"].passed


def test_a_cluster_that_did_not_get_well_is_no_basis() -> None:
    """The note of a phase is what was not as it should be."""
    phase = PhaseRecord(phase="heal", began_s=0, ended_s=30, note="node-2 is dead")
    assert not found(phases=(phase,))["health in phase heal"].passed


def promise(decision: Decision) -> PromiseRecord:
    return PromiseRecord(property="staleness", text="…", decision=decision, reason=decision.value, checked=1, found=0)


def test_a_broken_promise_convicts_whatever_else_was_seen() -> None:
    """Invalid outranks unknown, which outranks valid; gates only ever turn valid into unknown."""
    no, yes = GateRecord(gate="hits", passed=False, reason="cold"), GateRecord(gate="hits", passed=True, reason="")
    valid, unknown, invalid = (promise(each) for each in (Decision.VALID, Decision.UNKNOWN, Decision.INVALID))
    assert decide([valid, unknown, invalid], [no]) == (Decision.INVALID, "staleness: invalid")
    assert decide([valid, unknown], [yes]) == (Decision.UNKNOWN, "staleness: unknown")
    assert decide([valid], [no]) == (Decision.UNKNOWN, "hits: cold")
    assert decide([valid], [yes]) == (Decision.VALID, "all 1 promises were kept")
    assert decide([], [yes])[0] is Decision.UNKNOWN
