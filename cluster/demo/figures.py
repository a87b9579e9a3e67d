"""The numbers of a demo, computed from its history and from what the judges said of it.

Requests, errors, layers and latency are those of the traffic; the reads that settle and end a run are evidence for the
judges, and no visitor's experience.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil

from cluster.checker.anomaly import StaleRead
from cluster.checker.convergence import Convergence, convergence
from cluster.checker.judgement import Judgement, judge
from cluster.checker.register import Registers, registers
from cluster.checker.staleness import stale_reads
from cluster.history.columns import INFO, LAYERS, OK, PHASES, WRITE, History
from cluster.history.operation import NO_VERSION, Layer, Phase
from cluster.workload.request import EDGE

TRAFFIC = frozenset(PHASES.index(phase) for phase in (Phase.WARM, Phase.FAULT))


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """From when a request was due to the end of its answer, of those that were answered; 0 where none was."""

    p50_ns: int
    p99_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What came of the reads that took one way: through the edge, or straight to a worker.

    `errors` by name, `layers`: who answered, by the answers' own word. `stale` of `judged` reads were stale; `worst` is
    the stalest of them.
    """

    asked: int
    answered: int
    errors: Counter[str]
    layers: Counter[Layer]
    latency: Latency
    judged: int
    stale: int
    worst: StaleRead | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Writes:
    """What came of the writes. `unknown`: it may have been applied, and nobody was told."""

    asked: int
    answered: int
    unknown: int
    errors: Counter[str]
    latency: Latency


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """All that a demo shows."""

    edge: Route
    workers: Route
    writes: Writes
    judgement: Judgement
    worker_convergence: Convergence
    origin_ns: int

    @property
    def requests(self) -> int:
        """Everything that was sent as traffic."""
        return self.edge.asked + self.workers.asked + self.writes.asked


def figures_of(history: History) -> Figures:
    """Judge a history and count."""
    laid_out = registers(history)
    edge_via = history.names.number(EDGE)
    worker_vias = frozenset(range(len(history.names))) - {edge_via}
    edge: list[int] = []
    workers: list[int] = []
    writes: list[int] = []
    columns = zip(history.kind, history.phase, history.via, strict=True)
    for row, (kind, phase, via) in enumerate(columns):
        if phase in TRAFFIC:
            (writes if kind == WRITE else edge if via == edge_via else workers).append(row)
    return Figures(
        edge=_route(laid_out, edge),
        workers=_route(laid_out, workers),
        writes=_writes(history, writes),
        judgement=judge(history),
        worker_convergence=convergence(laid_out, vias=worker_vias),
        origin_ns=min(history.invoked_ns, default=0),
    )


def _route(laid_out: Registers, rows: list[int]) -> Route:
    history = laid_out.history
    answered = [row for row in rows if history.outcome[row] == OK]
    judged = [row for row in answered if history.version[row] != NO_VERSION]
    stale = stale_reads(laid_out, reads_too=True, among=frozenset(judged))
    return Route(
        asked=len(rows),
        answered=len(answered),
        errors=_errors(history, rows),
        layers=Counter(LAYERS[history.layer[row]] for row in answered),
        latency=_latency(history, answered),
        judged=len(judged),
        stale=len(stale),
        worst=stale.worst[0] if stale.worst else None,
    )


def _writes(history: History, rows: list[int]) -> Writes:
    answered = [row for row in rows if history.outcome[row] == OK]
    return Writes(
        asked=len(rows),
        answered=len(answered),
        unknown=sum(history.outcome[row] == INFO for row in rows),
        errors=_errors(history, rows),
        latency=_latency(history, answered),
    )


def _errors(history: History, rows: Iterable[int]) -> Counter[str]:
    return Counter(history.names[history.error[row]] for row in rows if history.outcome[row] != OK)


def _latency(history: History, rows: Iterable[int]) -> Latency:
    took = sorted(history.returned_ns[row] - history.invoked_ns[row] + history.late_ns[row] for row in rows)
    return Latency(p50_ns=quantile(took, 0.5), p99_ns=quantile(took, 0.99))


def quantile(ordered: Sequence[int], share: float) -> int:
    """The smallest of the ordered values that at least `share` of them do not exceed; 0 of none."""
    if not ordered:
        return 0
    return ordered[max(0, ceil(share * len(ordered)) - 1)]
