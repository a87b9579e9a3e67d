"""Availability: which share of what was asked was answered, by kind of operation and phase of the run?

A refused write (412, 422) was answered: the service did what it should. What counts against it is no answer, or a 5xx.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.checker.anomaly import Unavailable
from cluster.checker.verdict import Decision, Verdict, decide
from cluster.history.columns import FAIL, KINDS, OK, PHASES, History
from cluster.history.operation import Kind, Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """How many operations of one kind were asked and answered in one phase."""

    kind: Kind
    phase: Phase
    asked: int
    answered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability(Verdict):
    """The verdict, and the shares it is drawn from."""

    shares: tuple[Share, ...]


def availability(history: History, *, share_min: float | None = None, operations_min: int = 1) -> Availability:
    """Which share was answered and, with a bound (0 to 1), whether it was nowhere less than `share_min`.

    Valid needs at least `operations_min` operations.
    """
    asked: dict[tuple[int, int], int] = {}
    answered: dict[tuple[int, int], int] = {}
    first: dict[tuple[int, int], int] = {}
    columns = zip(history.kind, history.phase, history.outcome, history.status, strict=True)
    for row, (kind, phase, outcome, status) in enumerate(columns):
        cell = (kind, phase)
        asked[cell] = asked.get(cell, 0) + 1
        if outcome == OK or (outcome == FAIL and 400 <= status < 500):
            answered[cell] = answered.get(cell, 0) + 1
        elif cell not in first:
            first[cell] = row
    poor = [
        cell for cell, row in first.items() if share_min is not None and answered.get(cell, 0) < share_min * asked[cell]
    ]
    anomalies = tuple(
        Unavailable(first=history.operation(first[cell]), answered=answered.get(cell, 0), asked=asked[cell])
        for cell in sorted(poor)
    )
    found = sum(asked[cell] - answered.get(cell, 0) for cell in poor)
    decision, reason = decide(
        checked=len(history), checked_min=operations_min, found=found, things="operations", flaw="were not answered"
    )
    if share_min is None and decision is Decision.VALID:
        unanswered = len(history) - sum(answered.values())
        reason = f"{unanswered} of {len(history)} operations were not answered; no share was promised"
    return Availability(
        property="availability",
        decision=decision,
        reason=reason,
        checked=len(history),
        found=found,
        anomalies=anomalies,
        shares=tuple(
            Share(kind=KINDS[kind], phase=PHASES[phase], asked=count, answered=answered.get((kind, phase), 0))
            for (kind, phase), count in sorted(asked.items())
        ),
    )
