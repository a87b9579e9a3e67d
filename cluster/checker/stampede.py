"""Stampede: how many reads went to the database at once for the same version of the same key?

Who loaded is what the answers say of themselves (`Cache-Status`), so this explains a price; it judges no coherence.
Two loads are "at once" if the reads overlap, ends included.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.checker.anomaly import Stampede
from cluster.checker.verdict import KEPT_MAX, Decision, Verdict, decide
from cluster.history.columns import FROM_DATABASE, OK, READ, History
from cluster.history.operation import NO_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class Stampedes(Verdict):
    """The verdict, how many reads loaded in all, and the largest crowd for one version of one key."""

    loads: int
    largest: int


def stampede(history: History, *, loads_max: int | None = None, versions_min: int = 1) -> Stampedes:
    """How large the crowds were and, with a bound, whether none was larger than `loads_max`.

    Valid needs at least `versions_min` versions that were loaded.
    """
    crowds: dict[tuple[int, int], list[int]] = {}
    columns = zip(history.kind, history.outcome, history.layer, history.key, history.version, strict=True)
    for row, (kind, outcome, layer, key, version) in enumerate(columns):
        if layer == FROM_DATABASE and kind == READ and outcome == OK and version != NO_VERSION:
            crowds.setdefault((key, version), []).append(row)
    largest, found = 0, 0
    kept: list[tuple[int, int]] = []
    for rows in crowds.values():
        size = 1 if len(rows) == 1 else _at_once(history, rows)
        largest = max(largest, size)
        if loads_max is not None and size > loads_max:
            found += 1
            kept.append((size, min(rows, key=history.invoked_ns.__getitem__)))
    anomalies = tuple(
        Stampede(first=history.operation(row), loads=size) for size, row in sorted(kept, reverse=True)[:KEPT_MAX]
    )
    loads = sum(len(rows) for rows in crowds.values())
    flaw = f"were loaded more than {loads_max} times at once"
    decision, reason = decide(
        checked=len(crowds), checked_min=versions_min, found=found, things="loaded versions", flaw=flaw
    )
    if loads_max is None and decision is Decision.VALID:
        reason = f"at most {largest} reads at once loaded the same version; no bound was promised"
    return Stampedes(
        property="stampede",
        decision=decision,
        reason=reason,
        checked=len(crowds),
        found=found,
        anomalies=anomalies,
        loads=loads,
        largest=largest,
    )


def _at_once(history: History, rows: list[int]) -> int:
    """The most reads among `rows` that were open in one instant."""
    begins = sorted(history.invoked_ns[row] for row in rows)
    ends = sorted(history.returned_ns[row] for row in rows)
    most, ended = 0, 0
    for begun, time_ns in enumerate(begins, start=1):
        while ends[ended] < time_ns:
            ended += 1
        most = max(most, begun - ended)
    return most
