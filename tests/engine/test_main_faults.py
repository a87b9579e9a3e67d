"""One seed of each main fault, for real: the default strategy, on its own cluster, keeps its contract under all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.checker.verdict import Decision
from cluster.engine.matrix import MAIN_FAULTS
from cluster.processes import family
from cluster.record.store import MatrixFolder
from cluster.runs import Runs

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]


def test_the_default_strategy_is_convicted_under_no_main_fault(tmp_path: Path) -> None:
    """Every cell is run and judged; no promise is broken; nothing of any cluster is left.

    A machine that is too busy may leave a cell unknown, with its reason; it must not convict.
    """
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "EDGE_PORT")}
    words = ("--runs", str(tmp_path), "matrix", "--strategy", "sequenced", "--rate", "200")
    done = subprocess.run(
        [sys.executable, "-m", "cluster", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    (folder,) = [path for path in tmp_path.iterdir() if (path / "matrix.json").exists() and not path.is_symlink()]
    record = MatrixFolder(folder).read()
    told = f"{done.stdout}\n{done.stderr}"
    assert [cell.column for cell in record.cells] == list(MAIN_FAULTS), told
    assert not [cell.reason for cell in record.cells if cell.decision in (Decision.INVALID, None)], told
    assert record.counts[Decision.VALID.value] > 0, told
    assert (folder / "report.html").exists()
    for place in (folder / "clusters").iterdir():
        assert not [member for run in Runs(place).all() for member in family.members(run)]
