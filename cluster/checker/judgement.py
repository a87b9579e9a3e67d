"""All judges on one history.

Which of the verdicts matter is the business of whoever promised something: a strategy with a TTL does not promise to be
linearizable. Here each is given as it is, with the bounds that were promised as arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from cluster.checker.availability import Availability, availability
from cluster.checker.convergence import Convergence, convergence
from cluster.checker.leak import leak
from cluster.checker.linearizable import linearizable
from cluster.checker.lost_write import lost_write
from cluster.checker.phantom import phantom
from cluster.checker.quiescent_agreement import quiescent_agreement
from cluster.checker.register import registers
from cluster.checker.regular import regular
from cluster.checker.session import monotonic_reads, read_your_writes
from cluster.checker.staleness import Staleness, staleness
from cluster.checker.stampede import Stampedes, stampede
from cluster.checker.verdict import Verdict
from cluster.history.columns import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What was promised, as far as it is a number; None: nothing. `reads_min` is the vacuity gate of the reads."""

    staleness_ns_max: int | None = None
    convergence_ns_max: int | None = None
    loads_max: int | None = None
    answered_share_min: float | None = None
    reads_min: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One verdict per property."""

    phantom: Verdict
    linearizable: Verdict
    regular: Verdict
    staleness: Staleness
    monotonic_reads: Verdict
    read_your_writes: Verdict
    convergence: Convergence
    quiescent_agreement: Verdict
    lost_write: Verdict
    leak: Verdict
    stampede: Stampedes
    availability: Availability

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """All of them, in the order above."""
        return tuple(getattr(self, field.name) for field in fields(self))


def judge(history: History, bounds: Bounds = Bounds()) -> Judgement:
    """The verdicts of all judges on `history`."""
    laid_out = registers(history)
    return Judgement(
        phantom=phantom(laid_out, reads_min=bounds.reads_min),
        linearizable=linearizable(laid_out, operations_min=bounds.reads_min),
        regular=regular(laid_out, reads_min=bounds.reads_min),
        staleness=staleness(laid_out, bound_ns=bounds.staleness_ns_max, reads_min=bounds.reads_min),
        monotonic_reads=monotonic_reads(laid_out),
        read_your_writes=read_your_writes(laid_out),
        convergence=convergence(laid_out, bound_ns=bounds.convergence_ns_max),
        quiescent_agreement=quiescent_agreement(history),
        lost_write=lost_write(laid_out),
        leak=leak(history),
        stampede=stampede(history, loads_max=bounds.loads_max),
        availability=availability(history, share_min=bounds.answered_share_min),
    )
