"""Matrices on disk, with a real history in each cell: for tests of what is made of them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import msgspec

from cluster.checker.judgement import Bounds, judge
from cluster.checker.verdict import Decision
from cluster.history.reader import read_history
from cluster.record.matrix import CellRecord, ColumnRecord, MatrixRecord, RowRecord
from cluster.record.run import RunRecord
from cluster.record.store import MatrixFolder
from tests.record.examples import RUN

REAL = Path(__file__).resolve().parent.parent / "histories" / "real-ttl.jsonl"
VALID, INVALID, UNKNOWN = Decision.VALID, Decision.INVALID, Decision.UNKNOWN


def real_run() -> RunRecord:
    """A record of the three real seconds of `ttl`, judged against a bound that they break."""
    history = read_history(REAL)
    origin_ns = min(history.invoked_ns)
    stale = judge(history, Bounds(staleness_ns_max=100_000_000)).staleness
    assert RUN.figures is not None
    return msgspec.structs.replace(
        RUN,
        origin_ns=origin_ns,
        figures=msgspec.structs.replace(RUN.figures, traffic_s=3.0),
        promises=(
            msgspec.structs.replace(
                RUN.promises[0],
                reason=stale.reason,
                witnesses=tuple(anomaly.witness(origin_ns) for anomaly in stale.anomalies[:5]),
            ),
        ),
        faults=(msgspec.structs.replace(RUN.faults[0], started_s=1.2, healed_s=2.4),),
    )


def matrix_in(folder: Path, decisions: Mapping[tuple[str, str, int], Decision | None], run: RunRecord) -> MatrixFolder:
    """A matrix with these decisions by (row, column, seed), None: skipped. Each cell that ran is `run`, redecided."""
    matrix = MatrixFolder(folder)
    cells = []
    for (row, column, seed), decision in decisions.items():
        if decision is None:
            reason = "toys have no network"
            cells.append(CellRecord(row=row, column=column, seed=seed, folder="", decision=None, reason=reason))
            continue
        kept = matrix.cell(row, column, seed)
        kept.write(msgspec.structs.replace(run, decision=decision))
        shutil.copy(REAL, kept.history)
        place = str(kept.path.relative_to(folder))
        reason = f"{row} under {column} is {decision.value}"
        cells.append(CellRecord(row=row, column=column, seed=seed, folder=place, decision=decision, reason=reason))
    rows = dict.fromkeys(row for row, _, _ in decisions)
    columns = dict.fromkeys(column for _, column, _ in decisions)
    matrix.write(
        MatrixRecord(
            id="20261125T040000Z-matrix-1a2b",
            argv=("matrix",),
            started_at="2026-11-25T04:00:00+00:00",
            finished_at="2026-11-25T04:10:00+00:00",
            rows=tuple(RowRecord(name=row, strategy=row, write_path="cache-aside") for row in rows),
            columns=tuple(ColumnRecord(name=column, fault=column, target="one") for column in columns),
            seeds=tuple(sorted({seed for _, _, seed in decisions})),
            cells=tuple(cells),
        )
    )
    return matrix
