"""The matrix: which cells are run, in which order, on which cluster, and what becomes of it when one goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from cluster.checker.verdict import Decision
from cluster.engine.banner import decision_of
from cluster.engine.cell import Observers
from cluster.engine.examination import Progress
from cluster.engine.matrix import MAIN_FAULTS, MAIN_ROWS, Matrix, MatrixPlan, column_of, row_of
from cluster.errors import ClusterError
from cluster.fault.catalogue import FAULTS
from cluster.lifecycle import StoppedError
from cluster.record.matrix import CellRecord, MatrixRecord
from cluster.record.run import RunRecord
from cluster.record.store import MatrixFolder, RunFolder
from cluster.scenario.scenario import Scenario

ROWS = (row_of("ttl"), row_of("sequenced", "write-through"))
COLUMNS = (column_of(""), column_of("kill-node"))


class Screen:
    """Nobody looks."""

    def begin(self, title: str, *, duration_s: float) -> None:
        """Not shown."""

    def say(self, line: str) -> None:
        """Not shown."""

    def tell(self, seconds: float, line: str) -> None:
        """Not shown."""

    def watch(self, progress: Progress) -> None:
        """Not shown."""


@dataclass(slots=True)
class Town:
    """Every place that was opened, what was run there, and what each scenario is to come to: with `forgets_once`
    the first time only.
    """

    outcomes: dict[str, RunRecord | ClusterError] = field(default_factory=dict)
    forgets_once: bool = False
    did: list[str] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)

    def open_place(self, folder: Path) -> ToyPlace:
        """A place by its folder's name."""
        self.did.append(f"open {folder.name}")
        return ToyPlace(self, folder.name)


@dataclass(slots=True)
class ToyPlace:
    """Runs nothing, and gives what the town says."""

    town: Town
    name: str

    def examine(
        self,
        scenario: Scenario,
        folder: RunFolder,
        *,
        argv: tuple[str, ...],
        versions: dict[str, str],
        observers: Observers,
    ) -> RunRecord:
        """As the town says, by the scenario's title; valid if it says nothing."""
        self.town.did.append(f"{scenario.title} seed {scenario.seed}")
        self.town.rates.append(scenario.rate_per_s)
        folder.history.write_text("")
        outcome = self.town.outcomes.get(scenario.title, decided(scenario, Decision.VALID))
        if self.town.forgets_once:
            self.town.outcomes.pop(scenario.title, None)
        if isinstance(outcome, ClusterError):
            raise outcome
        folder.write(outcome)
        return outcome

    def close(self) -> None:
        """Noted."""
        self.town.did.append(f"close {self.name}")


def decided(scenario: Scenario, decision: Decision | None, **more: object) -> RunRecord:
    record = RunRecord(id="x", scenario=scenario, decision=decision, reason="as told")
    return msgspec.structs.replace(record, **more)


def matrix(folder: Path, town: Town, *, seeds: tuple[int, ...] = (1,), telling_only: bool = False) -> Matrix:
    plan = MatrixPlan(rows=ROWS, columns=COLUMNS, seeds=seeds, telling_only=telling_only)
    return Matrix(plan, MatrixFolder(folder), Screen(), town.open_place, argv=("matrix",), versions={})


def test_every_row_is_run_on_one_cluster(tmp_path: Path) -> None:
    """All of its columns and seeds, then the next row on the next cluster."""
    town = Town()
    record = matrix(tmp_path, town, seeds=(1, 2)).perform()
    assert town.did == [
        "open ttl",
        "ttl × no fault seed 1",
        "ttl × kill-node seed 1",
        "ttl × no fault seed 2",
        "ttl × kill-node seed 2",
        "close ttl",
        "open sequenced+write-through",
        "sequenced/write-through × no fault seed 1",
        "sequenced/write-through × kill-node seed 1",
        "sequenced/write-through × no fault seed 2",
        "sequenced/write-through × kill-node seed 2",
        "close sequenced+write-through",
    ]
    assert record.counts == {"valid": 8}
    assert record.finished_at
    assert MatrixFolder(tmp_path).read() == record
    assert all((tmp_path / cell.folder / "run.json").exists() for cell in record.cells)


def test_an_unknown_cell_is_tried_twice_more_at_half_the_rate_each_time(tmp_path: Path) -> None:
    """On a new cluster: the machine may be too busy. What the last try says is so, and is what is on record; the others
    stay beside it, for whoever wants to know why.
    """
    town = Town({"ttl × kill-node": decided(Scenario(), Decision.UNKNOWN)})
    plan = MatrixPlan(rows=ROWS[:1], columns=COLUMNS[1:], seeds=(1,), shape=Scenario(rate_per_s=300))
    record = Matrix(plan, MatrixFolder(tmp_path), Screen(), town.open_place, argv=(), versions={}).perform()
    assert town.did == [
        "open ttl",
        "ttl × kill-node seed 1",
        "close ttl",
        "ttl × kill-node seed 1",
        "close ttl",
        "ttl × kill-node seed 1",
        "close ttl",
    ]
    assert town.rates == [300, 150, 75]
    assert record.counts == {"unknown": 1}
    folder = tmp_path / record.cells[0].folder
    for tried in (folder, folder.with_name(f"{folder.name}.tried-1"), folder.with_name(f"{folder.name}.tried-2")):
        assert (tried / "run.json").exists()


def test_a_cell_that_is_decided_at_half_the_rate_is_not_tried_again(tmp_path: Path) -> None:
    """The second try was valid, and that is on record."""
    town = Town({"ttl × kill-node": decided(Scenario(), Decision.UNKNOWN)}, forgets_once=True)
    plan = MatrixPlan(rows=ROWS[:1], columns=COLUMNS[1:], seeds=(1,), shape=Scenario(rate_per_s=300))
    record = Matrix(plan, MatrixFolder(tmp_path), Screen(), town.open_place, argv=(), versions={}).perform()
    assert town.rates == [300, 150]
    assert record.counts == {"valid": 1}


def test_a_cell_that_can_not_be_examined_is_unknown_and_the_next_is_run(tmp_path: Path) -> None:
    """The cluster did not come up, say: that is no pass, and no reason to stop."""
    town = Town({"ttl × no fault": ClusterError("no port is free")})
    record = matrix(tmp_path, town).perform()
    assert record.counts == {"unknown": 1, "valid": 3}
    assert record.cells[0].reason == "it could not be examined: no port is free"
    assert record.decision is Decision.UNKNOWN


def test_a_skipped_cell_is_counted_apart(tmp_path: Path) -> None:
    """With its reason; it is no pass."""
    town = Town({"ttl × kill-node": decided(Scenario(), None)})
    record = matrix(tmp_path, town).perform()
    assert record.counts == {"skipped": 1, "valid": 3}
    assert record.cells[1].reason == "as told"


def test_an_interrupted_matrix_is_gone_on_with(tmp_path: Path) -> None:
    """The cell in which Ctrl-C came is run again; those that were decided are not."""
    town = Town({"ttl × kill-node": decided(Scenario(), Decision.UNKNOWN, interrupted=True)})
    record = matrix(tmp_path, town).perform()
    assert (len(record.cells), record.finished_at) == (1, "")
    assert town.did[-1] == "close ttl"
    town = Town()
    record = matrix(tmp_path, town).perform()
    assert town.did[:3] == ["open ttl", "ttl × kill-node seed 1", "close ttl"]
    assert record.counts == {"valid": 4}
    assert record.finished_at


def test_an_interruption_while_a_cluster_starts_ends_the_matrix_as_well(tmp_path: Path) -> None:
    """It is no trouble of the cell's, to be tried again: nothing is decided, and the cell is run another time."""
    town = Town({"ttl × kill-node": StoppedError("interrupted; nothing of the cluster is left")})
    record = matrix(tmp_path, town).perform()
    assert [cell.column for cell in record.cells] == ["no-fault"]
    assert town.did == ["open ttl", "ttl × no fault seed 1", "ttl × kill-node seed 1", "close ttl"]
    assert not record.finished_at


def test_of_many_seeds_only_telling_histories_are_kept(tmp_path: Path) -> None:
    """A valid cell keeps its record; one that is not valid keeps its history as well."""
    town = Town({"ttl × kill-node": decided(Scenario(), Decision.INVALID)})
    record = matrix(tmp_path, town, telling_only=True).perform()
    kept = {cell.decision for cell in record.cells if (tmp_path / cell.folder / "history.jsonl").exists()}
    assert kept == {Decision.INVALID}
    assert all((tmp_path / cell.folder / "run.json").exists() for cell in record.cells)


def cells(row: str, *decisions: Decision | None) -> MatrixRecord:
    found = tuple(
        CellRecord(row=row, column="kill", seed=seed, folder="", decision=decision, reason="")
        for seed, decision in enumerate(decisions)
    )
    return MatrixRecord(id="x", cells=found)


@pytest.mark.parametrize(
    ("record", "decision"),
    [
        (cells("sequenced", *[Decision.VALID] * 19, Decision.UNKNOWN), Decision.UNKNOWN),
        (cells("sequenced", *[Decision.VALID] * 18, Decision.UNKNOWN, Decision.UNKNOWN), Decision.INVALID),
        (cells("sequenced/write-through", Decision.UNKNOWN), Decision.INVALID),
        (cells("sequenced", Decision.VALID, None, None, None), Decision.VALID),
        (cells("ttl", *[Decision.UNKNOWN] * 20), Decision.UNKNOWN),
        (cells("ttl", Decision.UNKNOWN, Decision.INVALID), Decision.INVALID),
        (cells("ttl", None), Decision.UNKNOWN),
    ],
)
def test_too_many_unknowns_of_the_reference_fail(record: MatrixRecord, decision: Decision) -> None:
    """95 % of the cells of `sequenced` that could be injected must be decided; others may be unknown."""
    assert decision_of(record)[0] is decision


def test_the_main_matrix_is_about_a_dozen_rows_of_what_there_is() -> None:
    """Every main fault is in the catalogue, every main row can be started."""
    assert set(MAIN_FAULTS) <= set(FAULTS)
    assert len(MAIN_ROWS) >= 12
    for strategy, path in MAIN_ROWS:
        Scenario(strategy=strategy, write_path=path)
