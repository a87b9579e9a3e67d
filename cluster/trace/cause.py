"""Cause: why a read was stale, from what the nodes wrote down.

    write v+1 ──▶ published? ──▶ applied where the read was answered? ──▶ kept again after that? ──▶ cause

| cause | what the trace shows |
|---|---|
| never published | nobody told of the write before the read ended |
| not delivered | it was told, and the answering node never heard of it |
| delivered late | … heard of it only after the read had begun |
| refilled after apply | it was applied, and an older value was put back afterwards |
| L2 stale | L2 gave the older value, though it had been told |
| served by grace | the node knew that it could prove nothing, and answered all the same |
| clock | likewise, and the wall clock of the node, or of the writer, differs from the others' |
| ignored | the node heard of it, and the older value was served all the same |
| kept by the edge | the edge answered from its own store |
| unknown | the trace does not say: none was written, or the read came from the database |

A name is one key's, `k:product:7`. Where several writes are newer than what was read, the first of them is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from cluster.checker.anomaly import StaleRead
from cluster.history.operation import Layer, Operation
from cluster.trace.traces import Event, Traces

SKEW_NS = 500_000_000
"""How far a wall clock may be from the others' without being called skewed."""


class Cause(StrEnum):
    """Why a read was stale."""

    NEVER_PUBLISHED = "never published"
    NOT_DELIVERED = "not delivered"
    DELIVERED_LATE = "delivered late"
    REFILLED = "refilled after apply"
    L2_STALE = "L2 stale"
    GRACE = "served by grace"
    CLOCK = "clock"
    IGNORED = "ignored"
    EDGE = "kept by the edge"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Explained:
    """The cause of one stale read, and how it shows, in a sentence without a full stop."""

    cause: Cause
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """A stale read, and when the write that it missed began."""

    read: Operation
    since_ns: int

    @property
    def name(self) -> str:
        """The key's name in traces."""
        return f"k:{self.read.key}"

    @property
    def worker(self) -> str:
        """Who answered: whom the driver asked, or (through the edge) who the answer says it was."""
        return self.read.worker if self.read.via == "edge" else self.read.via


def explain_stale(stale: StaleRead, traces: Traces) -> Explained:
    """Why a read was stale. What it missed first is the version after its own, where the write of that is known."""
    if stale.at_most_ns is not None:
        since_ns = stale.read.returned_ns - stale.at_most_ns
    else:
        since_ns = stale.newer.invoked_ns if stale.newer is not None else 0
    return explain(stale.read, since_ns, traces)


def explain(read: Operation, since_ns: int, traces: Traces) -> Explained:
    """Why `read` was stale; `since_ns` is when the earliest write that it missed was sent. O(log of the trace)."""
    asked = Question(read, since_ns)
    if read.layer is Layer.EDGE:
        return Explained(Cause.EDGE, "the edge answered from its own store")
    if not traces.lines or read.layer not in (Layer.L1, Layer.L2):
        return Explained(Cause.UNKNOWN, f"the answer came from {read.layer or 'nowhere'}, and the trace says no more")
    published = traces.of("published", asked.name).first(since_ns)
    if published is None and read.layer is Layer.L2:
        # Where nobody listens there is nobody to tell: clearing L2 is all that a write does.
        published = traces.of("cleared", asked.name).first(since_ns)
    if published is None or published.t > read.returned_ns:
        return Explained(Cause.NEVER_PUBLISHED, _unpublished(asked, published, traces))
    told = f"the write was told of by {published.process}"
    if read.layer is Layer.L2:
        return _shared(asked, published, told, traces)
    return _local(asked, published, told, traces)


def _unpublished(asked: Question, later: Event | None, traces: Traces) -> str:
    failed = traces.of("unpublished", asked.name).first(asked.since_ns)
    if failed is not None and failed.t <= asked.read.returned_ns:
        return f"{failed.process} could not tell anybody of the write before the read ended"
    if later is not None:
        return f"nobody told of the write before {later.process} did, {_ms(later.t - asked.read.returned_ns)} too late"
    return "nobody ever told of the write"


def _shared(asked: Question, published: Event, told: str, traces: Traces) -> Explained:
    """L2 gave an older value: it was filled again, or never cleared."""
    refill = _older(traces.of("filled", asked.name).between(published.t, asked.read.returned_ns), asked)
    if refill is not None:
        text = f"{told}, and {refill.process} put version {refill.version} into L2 {_ms(refill.t - published.t)} later"
        return Explained(Cause.REFILLED, text)
    return Explained(Cause.L2_STALE, f"{told}, and L2 had the older value all the same")


def _local(asked: Question, published: Event, told: str, traces: Traces) -> Explained:
    """L1 gave an older value: it did not hear, heard late, kept it again, or did not care."""
    read, worker = asked.read, asked.worker
    heard = _heard(asked, published, traces)
    if heard is None:
        return Explained(Cause.NOT_DELIVERED, f"{told}, and {worker} never heard of it")
    if heard.t > read.invoked_ns:
        late = f"{told}, and {heard.process} applied it {_ms(heard.t - published.t)} later"
        return Explained(Cause.DELIVERED_LATE, f"{late}, when the read had begun")
    kept = _older(traces.of("kept", asked.name, worker).between(heard.t, read.returned_ns), asked)
    if kept is not None:
        again = f"{heard.process} applied it, and {worker} took version {kept.version} {_ms(kept.t - heard.t)} later"
        hit = traces.of("hit", asked.name, worker).last(kept.t + 1)
        refill = _older(traces.of("filled", asked.name).between(published.t, read.returned_ns), asked)
        from_l2 = hit is not None and hit.t > heard.t and hit.version == kept.version
        if from_l2 and refill is None:
            return Explained(Cause.L2_STALE, f"{told}, {again}, from L2")
        return Explained(Cause.REFILLED, f"{told}, {again}")
    if _unproved(asked, traces):
        return Explained(Cause.GRACE, f"{told}, and {worker} answered while its node could prove nothing")
    for process, at_ns in ((worker, read.invoked_ns), (published.process, published.t)):
        skew_ns = _skew_ns(process, at_ns, traces)
        if abs(skew_ns) > SKEW_NS:
            off = f"the wall clock of {process} is {_ms(skew_ns)} off"
            return Explained(Cause.CLOCK, f"{told}, {heard.process} heard of it, and {off}")
    return Explained(Cause.IGNORED, f"{told}, {heard.process} heard of it, and {worker} served the older value")


def _heard(asked: Question, published: Event, traces: Traces) -> Event | None:
    """When the answering worker, or the agent of its node, first heard of this write, or dropped everything.

    Where invalidations have numbers, an application of a later one is none of this; where they have none, it is taken
    for this one as long as the process applied as many as were published from then on.
    """
    agent = f"{asked.worker.partition('/')[0]}/agent"
    found = []
    for process in (asked.worker, agent):
        flushed = traces.of("flushed", "*", process).first(asked.since_ns)
        if published.sequence >= 0:
            heard = traces.numbered(process, published.sequence, asked.since_ns)
        else:
            applied = traces.of("applied", asked.name, process)
            heard = applied.first(asked.since_ns)
            told = len(traces.of("published", asked.name).since(published.t))
            if heard is not None and len(applied.since(heard.t)) < told and heard.t > asked.read.invoked_ns:
                heard = None
        found += [event for event in (flushed, heard) if event is not None]
    return min(found, key=lambda event: event.t, default=None)


def _older(events: Iterable[Event], asked: Question) -> Event | None:
    """The first of the events that kept what was read, or something older still."""
    return next((event for event in events if event.version <= asked.read.version), None)


def _unproved(asked: Question, traces: Traces) -> bool:
    agent = f"{asked.worker.partition('/')[0]}/agent"
    suspended = traces.of("suspended", "*", agent).last(asked.read.invoked_ns)
    renewed = traces.of("renewed", "*", agent).last(asked.read.invoked_ns)
    return suspended is not None and (renewed is None or renewed.t < suspended.t)


def _skew_ns(process: str, at_ns: int, traces: Traces) -> int:
    """By how much the wall clock of a process is off, by what the others say."""
    offset_ns = traces.offset_ns(process, at_ns)
    return 0 if offset_ns is None else offset_ns - traces.usual_offset_ns()


def _ms(duration_ns: int) -> str:
    return f"{duration_ns / 1e6:.0f} ms"
