"""Quiescent agreement: when all has come to rest, does everybody give the same, latest answer?

Judged on the final reads: after everything was healed, after a pause in which nothing was in flight, each worker (and
whoever else was asked, by its own address and not through a load balancer) is read once more for each key. Whoever then
still holds an older version holds it until something else happens: it is permanently stale.
"""

from __future__ import annotations

from collections import defaultdict

from cluster.checker.anomaly import Disagreement
from cluster.checker.verdict import KEPT_MAX, Verdict, verdict
from cluster.history.columns import FINAL, OK, READ, WRITE, History
from cluster.history.operation import ABSENT, NO_VERSION


def quiescent_agreement(history: History, *, reads_min: int = 1) -> Verdict:
    """Whether every final read returned its key's latest version; valid needs at least `reads_min` final reads.

    The latest is the database's, where the audit was read. Else it is the highest version that was acknowledged or
    that any final read returned: a write of unknown end may have landed, but then for everybody.
    """
    finals = _last_final_reads(history)
    latest = _latest_versions(history, finals)
    behind = [row for row in finals if history.version[row] != latest[history.key[row]]]
    return verdict(
        "quiescent agreement",
        checked=len(finals),
        checked_min=reads_min,
        found=len(behind),
        things="final reads",
        flaw="disagree",
        anomalies=(
            Disagreement(read=history.operation(row), latest=latest[history.key[row]]) for row in behind[:KEPT_MAX]
        ),
    )


def _last_final_reads(history: History) -> list[int]:
    """The last answered final read of each key and via: a final reading may be repeated, the last one counts."""
    last: dict[tuple[int, int], int] = {}
    columns = zip(history.phase, history.kind, history.outcome, history.version, strict=True)
    for row, (phase, kind, outcome, version) in enumerate(columns):
        if phase == FINAL and kind == READ and outcome == OK and version != NO_VERSION:
            place = (history.key[row], history.via[row])
            before = last.get(place)
            if before is None or history.invoked_ns[before] <= history.invoked_ns[row]:
                last[place] = row
    return sorted(last.values())


def _latest_versions(history: History, finals: list[int]) -> dict[int, int]:
    """Key → the version that every final read should return; ABSENT for a key that nobody ever wrote."""
    latest = defaultdict(lambda: ABSENT, {key: version for key, (version, _) in history.baselines.items()})

    def raise_to(key: int, version: int) -> None:
        latest[key] = max(latest[key], version)

    for key, version in zip(history.audit_keys, history.audit_versions, strict=True):
        raise_to(key, version)
    if not history.audited:
        columns = zip(history.kind, history.outcome, history.key, history.version, strict=True)
        for kind, outcome, key, version in columns:
            if kind == WRITE and outcome == OK:
                raise_to(key, version)
        for row in finals:
            raise_to(history.key[row], history.version[row])
    return latest
