"""Cell: one run as the page shows it: the record's words, the series of its history, and excerpts around its witnesses.

What always holds: a cell's size does not depend on how long its run was. Lists are cut, and say by how much.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from cluster.history.columns import History
from cluster.history.operation import HistoryError
from cluster.history.reader import read_history
from cluster.record.run import RunRecord
from cluster.record.store import RunFolder
from cluster.report.excerpt import Excerpt, excerpt
from cluster.report.series import Series, series

WITNESSES_MAX = 5
EXCERPTS_MAX = 3


class Witness(msgspec.Struct, frozen=True, kw_only=True):
    """A violation in prose, and the operations around it, where its history could be read."""

    text: str
    excerpt: Excerpt | None


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One run. `folder` is relative to the report. `unread` says why there are no curves, or is empty."""

    record: RunRecord
    folder: str
    series: Series | None
    witnesses: dict[str, tuple[Witness, ...]]
    unread: str = ""


def cell(folder: RunFolder, below: Path) -> Cell:
    """The cell of a stored run, for a report that lies in `below`. Raises WrongInputError where there is no record."""
    record = folder.read()
    history: History | None = None
    unread = ""
    if record.decision is not None:
        try:
            history = read_history(folder.history)
        except (OSError, HistoryError) as problem:
            unread = f"its history can't be read ({problem})"
    curves = None
    if history is not None and len(history):
        curves = series(history, record.origin_ns, _traffic_s(record, history))
    return Cell(
        record=record,
        folder="" if folder.path == below else str(folder.path.relative_to(below)),
        series=curves,
        witnesses=_witnesses(record, history),
        unread=unread,
    )


def _traffic_s(record: RunRecord, history: History) -> float:
    if record.figures is not None and record.figures.traffic_s > 0:
        return record.figures.traffic_s
    return max(1e-3, (max(history.invoked_ns) - record.origin_ns) / 1e9)


def _witnesses(record: RunRecord, history: History | None) -> dict[str, tuple[Witness, ...]]:
    """By promise: its worst violations, the first few with their surroundings."""
    found: dict[str, tuple[Witness, ...]] = {}
    left = EXCERPTS_MAX
    for promise in record.promises:
        told = []
        for text in promise.witnesses[:WITNESSES_MAX]:
            around = excerpt(history, text, record.origin_ns) if history is not None and left > 0 else None
            left -= around is not None
            told.append(Witness(text=text, excerpt=around))
        if told:
            found[promise.property] = tuple(told)
    return found
