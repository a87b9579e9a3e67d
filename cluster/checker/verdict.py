"""What a judge says: valid, invalid or unknown, why, and with which evidence.

*Unknown* is not a kind of pass: too little was seen to say anything (an empty history keeps every promise).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from cluster.checker.anomaly import Anomaly

KEPT_MAX = 100
"""A verdict counts every anomaly, and keeps the evidence of so many: the worst or, where none is worse, the first."""


class Decision(StrEnum):
    """Whether a promise was kept."""

    VALID = "valid"
    INVALID = "invalid"
    UNKNOWN = "unknown"


def merge(decisions: Iterable[Decision]) -> Decision:
    """The decision on several promises together: invalid outranks unknown, which outranks valid. Of none: unknown."""
    found = set(decisions)
    for decision in (Decision.INVALID, Decision.UNKNOWN, Decision.VALID):
        if decision in found:
            return decision
    return Decision.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision on one property.

    `checked` is how many things were judged, `found` how many broke the promise; `anomalies` is their evidence, at most
    KEPT_MAX of them. `reason` is one sentence: for *unknown*, what was missing.
    """

    property: str
    decision: Decision
    reason: str
    checked: int
    found: int
    anomalies: tuple[Anomaly, ...]

    def witness(self, origin_ns: int = 0) -> str:
        """The first anomaly in prose, times counted from `origin_ns`; the reason where there is none."""
        return self.anomalies[0].witness(origin_ns) if self.anomalies else self.reason


def decide(*, checked: int, checked_min: int, found: int, things: str, flaw: str) -> tuple[Decision, str]:
    """The decision and its reason, from the counts: an anomaly convicts however little was seen.

    `things` names what is counted ("reads"), `flaw` what is wrong with those found ("were stale"). Valid needs at least
    `checked_min` things: the vacuity gate.
    """
    if found:
        return Decision.INVALID, f"{found} of {checked} {things} {flaw}"
    if checked < checked_min:
        return Decision.UNKNOWN, f"{checked} {things} seen, {checked_min} needed"
    return Decision.VALID, f"none of {checked} {things} {flaw}"


def verdict(
    name: str,
    *,
    checked: int,
    checked_min: int,
    found: int,
    things: str,
    flaw: str,
    anomalies: Iterable[Anomaly],
) -> Verdict:
    """A verdict without figures of its own: `decide` with its evidence, of which KEPT_MAX are kept."""
    decision, reason = decide(checked=checked, checked_min=checked_min, found=found, things=things, flaw=flaw)
    kept = tuple(islice(anomalies, KEPT_MAX))
    return Verdict(property=name, decision=decision, reason=reason, checked=checked, found=found, anomalies=kept)
