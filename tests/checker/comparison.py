"""What the judges said of a world, and what they should have said, in the same shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from cluster.checker.judgement import Judgement, judge
from cluster.history.columns import History
from cluster.history.operation import Kind
from tests.checker import oracle
from tests.checker.notation import MS
from tests.checker.worlds import history_of_world

Judge: TypeAlias = Callable[[History], Any]
Answers: TypeAlias = dict[str, object]


def observed(world: oracle.World, judge_history: Judge = judge) -> Answers:
    """The judges' answers; `judge_history` may be that of a mutant. Places are those of the world's operations."""
    judgement = judge_history(history_of_world(world))
    lin = judgement.linearizable.decision == "valid"
    return {
        "linearizable": lin,
        "phantom": {
            anomaly.read.index - 1: anomaly.kind.name in ("ABORTED", "UNCOMMITTED")
            for anomaly in judgement.phantom.anomalies
        },
        "stale": _places(judgement.regular),
        "delta": judgement.staleness.worst_at_least_ns // MS if _shiftable(judgement) else None,
        "monotonic": _places(judgement.monotonic_reads),
        "own writes": _places(judgement.read_your_writes),
        "convergence": ([each // MS for each in judgement.convergence.after_ns], judgement.convergence.unobserved),
    }


def required(world: oracle.World) -> Answers:
    """The oracle's answers."""
    return {
        "linearizable": oracle.linearizable(world),
        "phantom": oracle.phantoms(world),
        "stale": oracle.stale(world),
        "delta": oracle.delta(world),
        "monotonic": oracle.went_back(world, kind=Kind.READ),
        "own writes": oracle.went_back(world, kind=Kind.WRITE),
        "convergence": oracle.convergence_ms(world),
    }


def _places(verdict: Any) -> set[int]:
    """The places of the reads that a verdict names: the index of an operation is its place + 1."""
    return {anomaly.read.index - 1 for anomaly in verdict.anomalies}


def _shiftable(judgement: Judgement) -> bool:
    """Whether all that is wrong is that reads are late: then some shift of the reads mends it.

    A read of what was there before the baseline can't be mended: that was never current in this history.
    """
    beyond_mending = {"PhantomRead", "SharedVersion", "WriteOutOfOrder"}
    return not any(
        type(each).__name__ in beyond_mending or getattr(each, "newer", each) is None
        for each in judgement.linearizable.anomalies
    )
