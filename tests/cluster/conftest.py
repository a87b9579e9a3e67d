"""Run folders for tests: each in a place of its own, and whatever was started from one is ended behind the test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from cluster.processes import family
from cluster.runs import Run, Runs
from cluster.topology import Topology


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    """An empty place for run folders."""
    place = Runs(tmp_path / "runs")
    yield place
    for run in place.all():
        family.kill(run)


@pytest.fixture
def run(runs: Runs) -> Run:
    """A new run folder, with nothing started in it."""
    return runs.create(Topology(), now=datetime(2026, 11, 23, 8, 15, tzinfo=UTC), secret="a-secret-of-the-tests")
