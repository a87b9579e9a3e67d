"""A reply: what a request came to, with all that the history keeps of it."""

from __future__ import annotations

from dataclasses import dataclass

from multidict import CIMultiDictProxy

from cluster.history.operation import Kind, Layer, Outcome
from cluster.workload.answer import NO_VALUE, Refusal, UnreadableError, Value, layer_of, refusal
from cluster.workload.outcome import outcome_of_status
from cluster.workload.request import Request


@dataclass(frozen=True, slots=True)
class Reply:
    """The outcome, the value where there is one, and what the answer said of itself; `error` names what went wrong.

    `worker` is who answered or, where the edge answered from its store, who had filled it.
    `pending`: of a write, docs/contract.md §1.
    """

    outcome: Outcome
    value: Value = NO_VALUE
    status: int = 0
    node: str = ""
    worker: str = ""
    layer: Layer = Layer.NONE
    error: str = ""
    pending: bool = False


def reply_of(request: Request, status: int, headers: CIMultiDictProxy[str], body: bytes) -> Reply:
    """What a whole answer comes to.

    A read that can't be understood showed nobody anything. A write that was accepted in words that can't be understood
    has happened all the same, as a version that nobody knows.
    """
    refused = refusal(body) if status >= 400 else Refusal()
    outcome, error = outcome_of_status(request.kind, status, said=refused.outcome)
    value = NO_VALUE
    if outcome is Outcome.OK and status == 404:
        value = Value(version=refused.version) if request.versioned else value
    elif outcome is Outcome.OK:
        try:
            value = request.value_of(body)
        except UnreadableError:
            outcome, error = (Outcome.FAIL if request.kind is Kind.READ else Outcome.OK), "unreadable"
    return Reply(
        outcome,
        value,
        status=status,
        node=headers.get("X-Node", ""),
        worker=headers.get("X-Filled-By", headers.get("X-Worker", "")),
        layer=layer_of(", ".join(headers.getall("Cache-Status", []))) if request.kind is Kind.READ else Layer.NONE,
        error=error,
        pending=headers.get("Tocsin-Pending") == "true",
    )
