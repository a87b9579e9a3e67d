"""Vacuity gates: what a run must have seen before `valid` means anything. One that does not pass makes it *unknown*.

An empty history keeps every promise; so does a run whose fault never took effect, whose caches were never warm, or in
which nobody wrote what somebody held. Each gate says what it saw and what it needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cluster.checker.register import Register
from cluster.checker.settling import NO_ROW
from cluster.contract.case import Case
from cluster.contract.promise import MS, Gates, Scope
from cluster.history.columns import FINAL, LAYERS, OK, READ, WRITE
from cluster.history.operation import FOREVER, Layer
from cluster.record.run import FaultRecord, GateRecord, PhaseRecord

LATE_NS_MAX = 1000 * MS
CACHES = frozenset(LAYERS.index(layer) for layer in (Layer.L1, Layer.L2))


def gates(
    case: Case, needed: Gates, *, faults: Sequence[FaultRecord], phases: Iterable[PhaseRecord], nodes: int
) -> tuple[GateRecord, ...]:
    """Every gate, passed or not. `nodes`: how many the cluster has."""
    return (
        _machine(case),
        *(_evidence(fault) for fault in faults),
        *(_health(phase) for phase in phases if phase.note),
        _reads(case, needed),
        _writes(case, needed),
        _hits(case, needed),
        _could_go_stale(case, nodes),
    )


def _machine(case: Case) -> GateRecord:
    """A driver that can't send in time is on a machine that does not run the cluster in time either."""
    late = sorted(case.history.late_ns)
    p99_ns = late[len(late) * 99 // 100] if late else 0
    return GateRecord(
        gate="machine",
        passed=p99_ns <= LATE_NS_MAX,
        reason=f"99 % of the requests left within {p99_ns / MS:.0f} ms of their time; {LATE_NS_MAX // MS} ms needed",
    )


def _evidence(fault: FaultRecord) -> GateRecord:
    name, found = f"evidence of {fault.plan.fault}", fault.evidence
    if fault.error:
        return GateRecord(gate=name, passed=False, reason=fault.error)
    if found is None:
        return GateRecord(gate=name, passed=False, reason="it was not injected, or nobody could see whether it was")
    return GateRecord(gate=name, passed=found.took, reason=found.text)


def _health(phase: PhaseRecord) -> GateRecord:
    return GateRecord(gate=f"health in phase {phase.phase}", passed=False, reason=phase.note)


def _in_force(case: Case, time_ns: int) -> bool:
    return not case.windows or any(each.start_ns <= time_ns < each.stop_ns for each in case.windows)


def _reads(case: Case, needed: Gates) -> GateRecord:
    history = case.history
    columns = zip(history.kind, history.outcome, history.via, history.invoked_ns, strict=True)
    seen = sum(
        kind == READ and outcome == OK and via in case.worker_vias and _in_force(case, invoked)
        for kind, outcome, via, invoked in columns
    )
    return _counted(
        "reads in the fault", seen, needed.reads_min, "reads of workers were answered while it was in force"
    )


def _writes(case: Case, needed: Gates) -> GateRecord:
    history = case.history
    columns = zip(history.kind, history.outcome, history.invoked_ns, strict=True)
    seen = sum(kind == WRITE and outcome == OK and _in_force(case, invoked) for kind, outcome, invoked in columns)
    return _counted("writes in the fault", seen, needed.writes_min, "writes were acknowledged while it was in force")


def _hits(case: Case, needed: Gates) -> GateRecord:
    history = case.history
    columns = zip(history.outcome, history.via, history.layer, strict=True)
    layers = [layer for outcome, via, layer in columns if outcome == OK and via in case.worker_vias]
    hits = sum(layer in CACHES for layer in layers)
    share = hits / len(layers) if layers else 0.0
    return GateRecord(
        gate="hits",
        passed=share >= needed.hits_min,
        reason=f"{share:.0%} of the workers' answers came from a cache; {needed.hits_min:.0%} needed",
    )


def _could_go_stale(case: Case, nodes: int) -> GateRecord:
    """At each node: a key that one of its workers had read was written, and that worker read it again."""
    names = case.history.names
    covered: set[str] = set()
    since_ns = case.health_ends_ns if case.windows else -1
    for register in case.registers(Scope.WORKERS):
        for via in _holders_of_old(case, register, since_ns):
            covered.add(names[via].partition("/")[0])
    return _counted("could go stale", len(covered), nodes, f"of {nodes} nodes read again what was written meanwhile")


def _holders_of_old(case: Case, register: Register, since_ns: int) -> set[int]:
    history = case.history
    first_returned: dict[int, int] = {}
    last_invoked: dict[int, int] = {}
    columns = zip(register.read_rows, register.read_invoked_ns, register.read_returned_ns, strict=True)
    for row, invoked, returned in columns:
        if history.phase[row] != FINAL:
            via = history.via[row]
            first_returned[via] = min(returned, first_returned.get(via, FOREVER))
            last_invoked[via] = max(invoked, last_invoked.get(via, 0))
    writes = [
        (history.invoked_ns[row], returned)
        for row, returned in zip(register.write_rows, register.write_returned_ns, strict=True)
        if row != NO_ROW and returned != FOREVER and returned >= since_ns
    ]
    return {
        via
        for via, first in first_returned.items()
        if any(first < invoked and returned < last_invoked[via] for invoked, returned in writes)
    }


def _counted(gate: str, seen: int, needed: int, things: str) -> GateRecord:
    return GateRecord(gate=gate, passed=seen >= needed, reason=f"{seen} {things}; {needed} needed")
