"""The numbers of a case, promised or not: freshness, convergence, losses, and what it cost."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from math import ceil

from cluster.checker.convergence import convergence
from cluster.checker.lost_write import untrue_answers
from cluster.checker.quiescent_agreement import quiescent_agreement
from cluster.checker.stampede import stampede
from cluster.contract.case import Case
from cluster.contract.gates import CACHES
from cluster.contract.promise import MS, Scope
from cluster.contract.share import nines, share
from cluster.history.columns import INFO, LAYERS, OK, PHASES, READ, WRITE, History
from cluster.history.operation import NO_VERSION, Phase
from cluster.record.figures import Figures, Freshness, Latency

TRAFFIC = frozenset(PHASES.index(phase) for phase in (Phase.WARM, Phase.FAULT, Phase.HEAL))
THRESHOLDS_MS = (0, 50, 100, 500, 1000, 5000, 30000)
PARTS = {
    "warm": frozenset({PHASES.index(Phase.WARM)}),
    "fault": frozenset({PHASES.index(Phase.FAULT)}),
    "after": frozenset(PHASES.index(phase) for phase in (Phase.HEAL, Phase.SETTLE, Phase.FINAL)),
    "all": frozenset(range(len(PHASES))),
}


def figures(case: Case, *, unsent: int = 0) -> Figures:
    """Everything; `unsent`: requests that the driver held back."""
    history = case.history
    traffic = [row for row, phase in enumerate(history.phase) if phase in TRAFFIC]
    reads = [row for row in traffic if history.kind[row] == READ]
    writes = [row for row in traffic if history.kind[row] == WRITE]
    answered = [row for row in traffic if history.outcome[row] == OK]
    layers = Counter(history.layer[row] for row in reads if history.outcome[row] == OK)
    workers = convergence(case.registers(Scope.WORKERS))
    crowds = stampede(history)
    return Figures(
        operations=len(history),
        reads=len(reads),
        writes=len(writes),
        answered=share(len(answered), len(traffic)),
        errors=dict(Counter(history.names[history.error[row]] for row in traffic if history.outcome[row] != OK)),
        layers={LAYERS[layer].value: count for layer, count in layers.items() if LAYERS[layer].value},
        hits=share(sum(layers[layer] for layer in CACHES), sum(layers.values())),
        freshness=_freshness(case),
        convergence_p50_ns=_quantile_or_none(workers.after_ns, 0.5),
        convergence_p99_ns=_quantile_or_none(workers.after_ns, 0.99),
        convergence_max_ns=_quantile_or_none(workers.after_ns, 1.0),
        permanently_stale=quiescent_agreement(history).found,
        lost_writes=len(untrue_answers(case.registers(Scope.ALL))),
        unknown_writes=sum(history.outcome[row] == INFO for row in writes),
        loads=crowds.loads,
        largest_stampede=crowds.largest,
        read_latency=_latency(history, (row for row in reads if history.outcome[row] == OK)),
        write_latency=_latency(history, (row for row in writes if history.outcome[row] == OK)),
        late_p99_ns=quantile(sorted(history.late_ns[row] for row in traffic), 0.99),
        unsent=unsent,
        traffic_s=_span_s(history, traffic),
    )


def _freshness(case: Case) -> dict[str, Freshness]:
    found = {name: _fresh(case, Scope.ALL, phases) for name, phases in PARTS.items()}
    found["edge"] = _fresh(case, Scope.EDGE, PARTS["all"])
    found["workers"] = _fresh(case, Scope.WORKERS, PARTS["all"])
    return found


def _fresh(case: Case, scope: Scope, phases: frozenset[int]) -> Freshness:
    history, stale = case.history, case.stale(scope)
    vias = {Scope.WORKERS: case.worker_vias, Scope.EDGE: {case.edge_via}, Scope.ALL: case.worker_vias | {case.edge_via}}
    among = vias[scope]
    columns = zip(history.kind, history.outcome, history.version, history.phase, history.via, strict=True)
    judged = sum(
        kind == READ and outcome == OK and version != NO_VERSION and phase in phases and via in among
        for kind, outcome, version, phase, via in columns
    )
    # Of those that are judged alone: what Redis itself was asked at the end is in the history, too.
    numbers = [
        number for number, row in enumerate(stale.rows) if history.phase[row] in phases and history.via[row] in among
    ]
    late = sorted(stale.at_least_ns[number] for number in numbers)
    worst = stale.evidence([max(numbers, key=stale.at_least_ns.__getitem__)])[0] if numbers else None
    count, capped = nines(len(numbers), judged)
    return Freshness(
        stale=share(len(numbers), judged),
        worst_at_least_ns=worst.at_least_ns if worst else 0,
        worst_at_most_ns=worst.at_most_ns if worst else 0,
        visible={str(each): len(late) - bisect_right(late, each * MS) for each in THRESHOLDS_MS},
        nines=count,
        nines_capped=capped,
    )


def _latency(history: History, rows: Iterable[int]) -> Latency:
    took = sorted(history.returned_ns[row] - history.invoked_ns[row] + history.late_ns[row] for row in rows)
    return Latency(p50_ns=quantile(took, 0.5), p99_ns=quantile(took, 0.99), max_ns=took[-1] if took else 0)


def _span_s(history: History, rows: Sequence[int]) -> float:
    if not rows:
        return 0.0
    begun = [history.invoked_ns[row] for row in rows]
    return (max(begun) - min(begun)) / 1e9


def _quantile_or_none(ordered: Sequence[int], part: float) -> int | None:
    return quantile(ordered, part) if ordered else None


def quantile(ordered: Sequence[int], part: float) -> int:
    """The smallest of the ordered values that at least `part` of them do not exceed; 0 of none."""
    if not ordered:
        return 0
    return ordered[max(0, ceil(part * len(ordered)) - 1)]
