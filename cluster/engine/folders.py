"""Where examinations lie, beside the run folders of clusters: found, named, linked.

    runs/
      20261125T040000Z-run-1a2b/      run.json  history.jsonl  cluster/<run folder of its own cluster>/
      20261125T041500Z-matrix-77f0/   matrix.json  cells/<row>/<column>-<seed>/  clusters/<row>/…
      latest ─▶ the newest of all

Nothing here is removed by itself: it is evidence. `make clean` removes all of it.
"""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from cluster.errors import WrongInputError
from cluster.record.store import MATRIX, RUN
from cluster.runs import LATEST, Runs


def new_folder(runs: Runs, kind: str, *, now: datetime) -> Path:
    """Make `<time>-<kind>-<chance>` (`kind`: run, matrix, …) and point `latest` at it. `now` is UTC."""
    runs.prepare()
    path = runs.root / f"{now:%Y%m%dT%H%M%SZ}-{kind}-{os.urandom(2).hex()}"
    path.mkdir(mode=0o700)
    runs.point(LATEST, path.name)
    return path


def newest(runs: Runs, *files: str) -> Path:
    """The newest examination that has one of these records. Raises WrongInputError where there is none."""
    found = examinations(runs, *files)
    if not found:
        raise WrongInputError(f"{runs.root} holds no examination; `run` or `matrix` makes one")
    return found[0]


def examinations(runs: Runs, *files: str) -> list[Path]:
    """All that have one of these records (default: of a run or a matrix), the newest first."""
    names = files or (RUN, MATRIX)
    folders = sorted(runs.root.iterdir(), reverse=True) if runs.root.is_dir() else []
    return [path for path in folders if not path.is_symlink() and any((path / name).exists() for name in names)]
