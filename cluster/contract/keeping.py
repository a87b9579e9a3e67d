"""Was a promise kept? One judge per property; each takes the case and the promise and gives the record of it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from heapq import nlargest

from cluster.checker.anomaly import Anomaly, LostWrite, SharedVersion
from cluster.checker.convergence import convergence
from cluster.checker.leak import leak
from cluster.checker.linearizable import linearizable
from cluster.checker.lost_write import lost_write, untrue_answers
from cluster.checker.phantom import phantom
from cluster.checker.quiescent_agreement import quiescent_agreement
from cluster.checker.session import monotonic_reads, read_your_writes
from cluster.checker.settling import NO_ROW
from cluster.checker.verdict import Decision, Verdict, decide
from cluster.contract.case import Case
from cluster.contract.promise import MS, Promise, When
from cluster.history.columns import READ
from cluster.history.operation import BEGINNING, FOREVER
from cluster.record.run import PromiseRecord

WITNESSES_MAX = 5
CLOCK_NS = 20 * MS
"""What the rounding of clocks may add to a bound: the edge's ticks a hundred times a second."""


def keep(case: Case, promise: Promise, origin_ns: int = 0) -> PromiseRecord:
    """Whether the history kept the promise; witnesses count their times from `origin_ns`."""
    if promise.void_after_loss and case.losses:
        return PromiseRecord(
            property=promise.property,
            text=promise.text,
            decision=Decision.VALID,
            reason=f"not promised where Redis loses its memory ({case.losses[0].fault})",
            checked=0,
            found=0,
        )
    return JUDGES[promise.property](case, promise, origin_ns)


def _of(promise: Promise, verdict: Verdict, origin_ns: int, *, excused: int = 0) -> PromiseRecord:
    return PromiseRecord(
        property=promise.property,
        text=promise.text,
        decision=verdict.decision,
        reason=verdict.reason,
        checked=verdict.checked,
        found=verdict.found,
        excused=excused,
        witnesses=tuple(each.witness(origin_ns) for each in verdict.anomalies[:WITNESSES_MAX]),
    )


def _phantom(case: Case, promise: Promise, origin_ns: int) -> PromiseRecord:
    return _of(promise, phantom(case.registers(promise.scope)), origin_ns)


def _linearizable(case: Case, promise: Promise, origin_ns: int) -> PromiseRecord:
    laid_out = case.registers(promise.scope)
    if not promise.stalls_excused:
        return _of(promise, linearizable(laid_out), origin_ns)
    strict = linearizable(laid_out, excepted=case.stalled)
    return _of(promise, strict, origin_ns, excused=linearizable(laid_out).found - strict.found)


def _leak(case: Case, promise: Promise, origin_ns: int) -> PromiseRecord:
    return _of(promise, leak(case.history, answers_min=0), origin_ns)


def _agreement(case: Case, promise: Promise, origin_ns: int) -> PromiseRecord:
    return _of(promise, quiescent_agreement(case.history), origin_ns)


def _convergence(case: Case, promise: Promise, origin_ns: int) -> PromiseRecord:
    return _of(promise, convergence(case.registers(promise.scope), vias=case.worker_vias), origin_ns)


def _lost_write(case: Case, promise: Promise, origin_ns: int) -> PromiseRecord:
    laid_out = case.registers(promise.scope)
    found = lost_write(laid_out)
    if not promise.loss_window_ns or not case.losses or not found.found:
        return _of(promise, found, origin_ns)
    every = untrue_answers(laid_out)
    kept = [each for each in every if not _lost_with_redis(case, promise, each)]
    decision, reason = decide(
        checked=found.checked, checked_min=1, found=len(kept), things="acknowledged writes", flaw="were lost"
    )
    return PromiseRecord(
        property=promise.property,
        text=promise.text,
        decision=decision,
        reason=f"{reason}; {len(every) - len(kept)} were lost with Redis, as declared",
        checked=found.checked,
        found=len(kept),
        excused=len(every) - len(kept),
        witnesses=tuple(each.witness(origin_ns) for each in kept[:WITNESSES_MAX]),
    )


def _lost_with_redis(case: Case, promise: Promise, anomaly: Anomaly) -> bool:
    """Whether a write that is not what was answered was acknowledged shortly before, or while, Redis lost its memory.

    Two writes of one version: a lost one's version is given again afterwards, so one of the two lies there.
    """
    writes = anomaly.writes if isinstance(anomaly, SharedVersion) else ()
    if isinstance(anomaly, LostWrite):
        writes = (anomaly.write,)
    return any(
        loss.start_ns - promise.loss_window_ns <= write.returned_ns and write.invoked_ns <= loss.stop_ns
        for write in writes
        for loss in case.losses
    )


def _monotonic(case: Case, promise: Promise, origin_ns: int) -> PromiseRecord:
    laid_out = case.registers(promise.scope)
    strict = monotonic_reads(laid_out, excepted=case.excepted, reads_min=0)
    return _of(promise, strict, origin_ns, excused=monotonic_reads(laid_out).found - strict.found)


def _own_writes(case: Case, promise: Promise, origin_ns: int) -> PromiseRecord:
    laid_out = case.registers(promise.scope)
    strict = read_your_writes(laid_out, excepted=case.excepted, reads_min=0)
    return _of(promise, strict, origin_ns, excused=read_your_writes(laid_out).found - strict.found)


def _staleness(case: Case, promise: Promise, origin_ns: int) -> PromiseRecord:
    """Convicted by the lower bound alone: read.invoked − the earliest return among operations with a newer version."""
    history, stale = case.history, case.stale(promise.scope)
    start_ns, end_ns = _when(case, promise)
    beyond: list[int] = []
    for number, row in enumerate(stale.rows):
        invoked = history.invoked_ns[row]
        if start_ns <= invoked < end_ns and _too_stale(case, promise, number, invoked):
            beyond.append(number)
    vias = {history.via[row] for register in case.registers(promise.scope) for row in register.read_rows}
    columns = zip(history.kind, history.via, history.invoked_ns, history.version, strict=True)
    checked = sum(
        kind == READ and version >= 0 and via in vias and start_ns <= invoked < end_ns
        for kind, via, invoked, version in columns
    )
    decision, reason = decide(
        checked=checked,
        checked_min=1,
        found=len(beyond),
        things="reads",
        flaw=f"were staler than {_bound(promise)}",
    )
    worst = stale.evidence(nlargest(WITNESSES_MAX, beyond, key=stale.at_least_ns.__getitem__))
    return PromiseRecord(
        property=promise.property,
        text=promise.text,
        decision=decision,
        reason=reason,
        checked=checked,
        found=len(beyond),
        witnesses=tuple(each.witness(origin_ns) for each in worst),
    )


def _when(case: Case, promise: Promise) -> tuple[int, int]:
    if promise.when is When.HEALTH:
        return BEGINNING, case.health_ends_ns
    if promise.when is When.AFTER:
        return case.healed_ns, FOREVER
    return BEGINNING, FOREVER


def _too_stale(case: Case, promise: Promise, number: int, invoked_ns: int) -> bool:
    stale = case.stale(promise.scope)
    lateness, bound = stale.at_least_ns[number], promise.bound_ns + CLOCK_NS
    if lateness <= bound:
        return False
    since_ns = invoked_ns - lateness
    if promise.delivery:
        return lateness - case.pauses.within(since_ns, invoked_ns) > bound
    if not promise.repair_ns or not _badly_finished(case, promise, number):
        return True
    # Somebody else had to tell of it, in time and not by the reader's clock.
    return lateness - case.pauses.within(since_ns, invoked_ns) > bound + promise.repair_ns


def _badly_finished(case: Case, promise: Promise, number: int) -> bool:
    """Whether the write that the stale read lacks had no good end. Seen by a read: the write of the version it saw."""
    stale = case.stale(promise.scope)
    row = stale.newer_rows[number]
    if row != NO_ROW and case.history.kind[row] == READ:
        register = case.registers(promise.scope).all[stale.registers[number]]
        rank = bisect_left(register.versions, case.history.version[row])
        place = bisect_left(register.write_ranks, rank)
        known = place < len(register.write_ranks) and register.write_ranks[place] == rank
        row = register.write_rows[place] if known else NO_ROW
    return case.finished_badly(row)


def _bound(promise: Promise) -> str:
    text = f"{promise.bound_ns / MS:g} ms"
    return f"{text} (+ {promise.repair_ns / MS:g} ms after a write without a good end)" if promise.repair_ns else text


JUDGES: dict[str, Callable[[Case, Promise, int], PromiseRecord]] = {
    "phantom": _phantom,
    "linearizable": _linearizable,
    "staleness": _staleness,
    "monotonic reads": _monotonic,
    "read your writes": _own_writes,
    "convergence": _convergence,
    "quiescent agreement": _agreement,
    "lost write": _lost_write,
    "leak": _leak,
}
