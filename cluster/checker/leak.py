"""Leak: did anybody get another user's data?

A personal answer says whose it is (`owner`); the driver knows as whom it asked (`user`). They must be the same.
"""

from __future__ import annotations

from cluster.checker.anomaly import Leak
from cluster.checker.verdict import KEPT_MAX, Verdict, verdict
from cluster.history.columns import History


def leak(history: History, *, answers_min: int = 1) -> Verdict:
    """Whether every personal answer went to its owner; valid needs at least `answers_min` of them."""
    checked, found = 0, 0
    kept: list[Leak] = []
    for row, (user, owner) in enumerate(zip(history.user, history.owner, strict=True)):
        if not owner:
            continue
        checked += 1
        if user != owner:
            found += 1
            if len(kept) < KEPT_MAX:
                kept.append(Leak(read=history.operation(row)))
    return verdict(
        "leak",
        checked=checked,
        checked_min=answers_min,
        found=found,
        things="personal answers",
        flaw="held another user's data",
        anomalies=kept,
    )
