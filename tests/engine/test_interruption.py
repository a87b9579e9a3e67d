"""Ctrl-C in a real run: what is in force is healed, what there is is judged, and nothing of the cluster is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cluster.checker.verdict import Decision
from cluster.processes import family
from cluster.record.run import RunRecord
from cluster.record.store import MatrixFolder, RunFolder
from cluster.runs import Runs
from tests.until import until

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SMALL = ("--nodes", "2", "--workers", "1", "--rate", "60")
ENDS_S = 120.0


@contextmanager
def examiner(runs: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """The command line, in a process that can be interrupted; ended at the end, whatever became of it."""
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "EDGE_PORT")}
    process = subprocess.Popen(
        [sys.executable, "-m", "cluster", "--runs", str(runs), *words],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def in_force(runs: Path) -> RunRecord | None:
    """The record of the run whose fault is in force now; None while there is none."""
    for path in runs.glob("**/run.json"):
        if path.parent.is_symlink() or path.parent.parent.is_symlink():
            continue
        record = RunFolder(path.parent).read()
        if any(fault.started_s is not None and fault.healed_s is None for fault in record.faults):
            return record
    return None


def left(runs: Path) -> list[object]:
    """Processes of any cluster below a folder."""
    places = [path for path in runs.glob("*") if path.is_dir() and not path.is_symlink()]
    inner = [each for place in places for each in (place / "cluster", *(place / "clusters").glob("*"))]
    return [member for place in inner if place.is_dir() for run in Runs(place).all() for member in family.members(run)]


def test_an_interrupted_run_heals_judges_and_cleans(tmp_path: Path) -> None:
    """A partition of a quarter of an hour ends with Ctrl-C: healed, proven, judged, unknown for what was not seen."""
    scenario = tmp_path / "scenario.toml"
    scenario.write_text(
        'strategy = "sequenced"\nduration_s = 900\nrate_per_s = 60\nnodes = 2\nworkers = 1\n'
        '[[faults]]\nfault = "partition"\nat_s = 2\nfor_s = 800\n'
    )
    with examiner(tmp_path / "runs", "run", str(scenario)) as process:
        until(lambda: in_force(tmp_path / "runs"), within_s=ENDS_S, waiting_for="the partition to be in force")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=ENDS_S)
    (folder,) = [path for path in (tmp_path / "runs").glob("*-run-*") if not path.is_symlink()]
    record = RunFolder(folder).read()
    (fault,) = record.faults
    assert fault.healed_s is not None, said
    assert not fault.error, said
    assert fault.evidence is not None, said
    assert (record.interrupted, record.decision) == (True, Decision.UNKNOWN), said
    assert process.returncode == 2, said
    assert record.promises, said
    assert record.figures is not None, said
    assert (folder / "report.html").exists(), said
    assert left(tmp_path / "runs") == []


def test_an_interrupted_matrix_is_gone_on_with_by_the_same_command(tmp_path: Path) -> None:
    """The cell that was decided is kept, the one in which Ctrl-C came is run again, and then all of it is there."""
    runs = tmp_path / "runs"
    words = ("matrix", "--strategy", "ttl", "--fault", "flush-redis,partition", "--duration", "3", *SMALL, "--resume")

    def second_cell() -> bool:
        record = in_force(runs)
        return record is not None and record.scenario.faults[0].fault == "partition"

    with examiner(runs, *words) as process:
        until(second_cell, within_s=ENDS_S, waiting_for="the fault of the second cell")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=ENDS_S)
    (folder,) = [path for path in runs.glob("*-matrix-*") if not path.is_symlink()]
    first = MatrixFolder(folder).read()
    assert [cell.column for cell in first.cells] == ["flush-redis"], said
    assert "--resume" in said
    assert left(runs) == []
    with examiner(runs, *words) as process:
        said, _ = process.communicate(timeout=2 * ENDS_S)
    whole = MatrixFolder(folder).read()
    assert [cell.column for cell in whole.cells] == ["flush-redis", "partition"], said
    assert whole.cells[0] == first.cells[0]
    assert whole.finished_at
    assert left(runs) == []
