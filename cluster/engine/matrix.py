"""The matrix: strategies × faults × seeds, one cluster start a row, each cell a run with a folder of its own.

    row ─▶ cluster up ─▶ cell ─▶ cell ─▶ … ─▶ cluster down
                          │       └── not well after the cell before? down and up again
                          ├── refused ─▶ skipped · can't be examined ─▶ unknown · else judged
                          └── unknown? again on a new cluster, at half the rate, then at a quarter: the machine may be
                              too busy; what was tried stays beside it, in <cell>.tried-1 and so on

`matrix.json` is written after every cell, so that an interrupted matrix shows what there is, and can be gone on with:
what is decided is not run again.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec

from cluster.checker.verdict import Decision
from cluster.contract.contracts import contract_of
from cluster.engine.cell import Observers
from cluster.engine.examination import Progress
from cluster.errors import ClusterError
from cluster.fault.catalogue import fault_named
from cluster.lifecycle import StoppedError
from cluster.record.matrix import CellRecord, ColumnRecord, MatrixRecord, RowRecord
from cluster.record.run import RunRecord
from cluster.record.store import MatrixFolder, RunFolder
from cluster.runs import CLUSTERS
from cluster.scenario.scenario import FaultStep, Scenario
from cluster.topology import PEERS, STRATEGIES

MAIN_FAULTS = (
    "kill-node", "pause-node", "restart-node", "partition", "drop-messages", "crash-after-commit", "restart-redis",
    "flush-redis",
)  # fmt: skip
"""What `make matrix` does to every strategy."""
MAIN_ROWS = (
    ("no-cache", "cache-aside"),
    ("ttl", "cache-aside"),
    ("pubsub", "cache-aside"),
    ("tracking", "cache-aside"),
    ("versioned", "cache-aside"),
    ("sequenced", "cache-aside"),
    ("sequenced", "write-behind"),
    ("strict", "cache-aside"),
    ("flask-caching-simple", "cache-aside"),
    ("flask-caching-redis", "cache-aside"),
    ("cashews", "cache-aside"),
    ("redis-py-tracking", "cache-aside"),
)
"""Strategies and write paths of `make matrix`: as many as 15 minutes hold."""
AGAIN_MAX = 2
"""How often an unknown cell is tried again, each time at half the rate before."""
ALL_ROWS = (
    *((strategy, "cache-aside") for strategy in (*STRATEGIES, *PEERS)),
    *((strategy, path) for strategy in ("pubsub", "sequenced") for path in ("write-through", "write-behind")),
)


class Screen(Protocol):
    """What shows a matrix while it goes on: cluster.engine.progress.Ticker."""

    def begin(self, title: str, *, duration_s: float) -> None:
        """A cell begins."""
        ...

    def say(self, line: str) -> None:
        """A line that stays."""
        ...

    def tell(self, seconds: float, line: str) -> None:
        """Something happened in a cell."""
        ...

    def watch(self, progress: Progress) -> None:
        """So far."""
        ...


class Place(Protocol):
    """Where cells are run: cluster.engine.own_cluster.OwnCluster."""

    def examine(
        self,
        scenario: Scenario,
        folder: RunFolder,
        *,
        argv: tuple[str, ...],
        versions: dict[str, str],
        observers: Observers,
    ) -> RunRecord:
        """Run and judge one scenario. Raises ClusterError where that can't be."""
        ...

    def close(self) -> None:
        """End whatever was started."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixPlan:
    """What to run. `shape` is what all cells share: duration, rate, nodes, launcher; the rest of it is not used.

    `telling_only`: of a cell that is valid the history is removed, once it is judged.
    """

    rows: tuple[RowRecord, ...]
    columns: tuple[ColumnRecord, ...]
    seeds: tuple[int, ...]
    shape: Scenario = field(default_factory=Scenario)
    telling_only: bool = False

    def scenario(self, row: RowRecord, column: ColumnRecord, seed: int) -> Scenario:
        """The scenario of one cell."""
        steps = (FaultStep(fault=column.fault, target=column.target),) if column.fault else ()
        return msgspec.structs.replace(
            self.shape,
            strategy=row.strategy,
            write_path=row.write_path,
            settings=row.settings,
            faults=steps,
            seed=seed,
        )


def row_of(strategy: str, write_path: str = "cache-aside") -> RowRecord:
    """A row: `sequenced`, or `sequenced/write-through`."""
    name = strategy if write_path == "cache-aside" else f"{strategy}/{write_path}"
    summary = contract_of(strategy, write_path, {}).summary
    return RowRecord(name=name, strategy=strategy, write_path=write_path, contract=summary)


def column_of(fault: str, target: str = "one") -> ColumnRecord:
    """A column: a fault, or none of them ("")."""
    summary = fault_named(fault).summary if fault else "nothing is done to the cluster"
    return ColumnRecord(name=fault or "no-fault", fault=fault, target=target, summary=summary)


class Matrix:
    """One matrix in its folder. `argv` and `versions` are for the record."""

    def __init__(
        self,
        plan: MatrixPlan,
        folder: MatrixFolder,
        screen: Screen,
        open_place: Callable[[Path], Place],
        *,
        argv: tuple[str, ...],
        versions: dict[str, str],
    ) -> None:
        """Take up the record that is in the folder, else begin one. `open_place`: where a row is run, by its folder."""
        self._plan = plan
        self._open_place = open_place
        self._folder = folder
        self._screen = screen
        self._argv, self._versions = argv, versions
        self._interrupted = False
        self.record = folder.read() if folder.record.exists() else self._begun()

    def perform(self) -> MatrixRecord:
        """Run what is not decided yet. Ctrl-C ends it after the cell that runs, which is judged."""
        self._folder.write(self.record)
        for row in self._plan.rows:
            open_cells = [place for place in self._places() if not self._decided(row, *place)]
            if open_cells and not self._row(row, open_cells):
                return self.record
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        self.record = msgspec.structs.replace(self.record, finished_at=finished)
        self._folder.write(self.record)
        return self.record

    def _begun(self) -> MatrixRecord:
        return MatrixRecord(
            id=self._folder.path.name,
            argv=self._argv,
            started_at=datetime.now(UTC).isoformat(timespec="seconds"),
            versions=self._versions,
            rows=self._plan.rows,
            columns=self._plan.columns,
            seeds=self._plan.seeds,
            shape=self._plan.shape,
        )

    def _places(self) -> Iterator[tuple[ColumnRecord, int]]:
        for seed in self._plan.seeds:
            for column in self._plan.columns:
                yield column, seed

    def _decided(self, row: RowRecord, column: ColumnRecord, seed: int) -> bool:
        return any((cell.row, cell.column, cell.seed) == (row.name, column.name, seed) for cell in self.record.cells)

    def _row(self, row: RowRecord, places: list[tuple[ColumnRecord, int]]) -> bool:
        """Run these cells on one cluster; whether the matrix goes on."""
        place = self._open_place(self._folder.path / CLUSTERS / row.name.replace("/", "+"))
        try:
            for column, seed in places:
                if not self._cell(place, row, column, seed):
                    return False
        finally:
            place.close()
        return True

    def _cell(self, place: Place, row: RowRecord, column: ColumnRecord, seed: int) -> bool:
        scenario = self._plan.scenario(row, column, seed)
        folder = self._folder.cell(row.name, column.name, seed)
        done, whole = len(self.record.cells), len(self._plan.rows) * len(self._plan.columns) * len(self._plan.seeds)
        self._screen.begin(f"{done + 1}/{whole} {row.name} × {column.name}", duration_s=scenario.duration_s)
        for stale in (folder.path, *_attempts(folder)):
            if stale.exists():
                shutil.rmtree(stale)  # begun before an interruption, and never decided
        folder.path.mkdir(parents=True, mode=0o700)
        decision, reason = self._tried(place, scenario, folder)
        for attempt in _attempts(folder):
            if decision is not Decision.UNKNOWN or self._interrupted:
                break
            self._screen.say(f"{row.name} × {column.name}: unknown: {reason}; again, at half that rate")
            place.close()
            folder.path.rename(attempt)
            folder.path.mkdir(mode=0o700)
            scenario = msgspec.structs.replace(scenario, rate_per_s=scenario.rate_per_s / 2)
            decision, reason = self._tried(place, scenario, folder)
        if self._interrupted:
            return False
        self._add(row, column, seed, folder, decision, reason)
        self._screen.say(f"{row.name} × {column.name}: {decision or 'skipped'}: {reason}")
        if self._plan.telling_only and decision is Decision.VALID:
            folder.drop_history()
        return True

    def _tried(self, place: Place, scenario: Scenario, folder: RunFolder) -> tuple[Decision | None, str]:
        """Examine once; what came of it, and why."""
        try:
            record = place.examine(
                scenario,
                folder,
                argv=self._argv,
                versions=self._versions,
                observers=Observers(tell=_silent, watch=self._screen.watch),
            )
        except (
            StoppedError
        ) as stopped:  # Ctrl-C while its cluster was starting: nobody's verdict, and not to be retried
            self._interrupted = True
            return Decision.UNKNOWN, str(stopped)
        except ClusterError as problem:
            return Decision.UNKNOWN, f"it could not be examined: {problem}"
        self._interrupted = record.interrupted
        return record.decision, record.reason

    def _add(
        self,
        row: RowRecord,
        column: ColumnRecord,
        seed: int,
        folder: RunFolder,
        decision: Decision | None,
        reason: str,
    ) -> None:
        cell = CellRecord(
            row=row.name,
            column=column.name,
            seed=seed,
            folder=str(folder.path.relative_to(self._folder.path)),
            decision=decision,
            reason=reason,
        )
        self.record = msgspec.structs.replace(self.record, cells=(*self.record.cells, cell))
        self._folder.write(self.record)


def _attempts(folder: RunFolder) -> tuple[Path, ...]:
    """Where a cell that stayed unknown is kept before it is tried again, one after the other."""
    return tuple(folder.path.with_name(f"{folder.path.name}.tried-{number}") for number in range(1, AGAIN_MAX + 1))


def _silent(seconds: float, line: str) -> None:
    """A matrix tells of cells, not of what happens in them."""
