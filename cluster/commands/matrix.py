"""The verbs about many runs: `matrix`, and `report` of one or of many."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from cluster.commands.examine import CODES, WIDTH_MIN
from cluster.engine.banner import decision_of, show_matrix
from cluster.engine.folders import examinations, new_folder, newest
from cluster.engine.matrix import ALL_ROWS, MAIN_FAULTS, MAIN_ROWS, Matrix, MatrixPlan, column_of, row_of
from cluster.engine.own_cluster import OwnCluster
from cluster.engine.progress import Ticker
from cluster.engine.versions import versions
from cluster.errors import WrongInputError
from cluster.fault.catalogue import FAULTS
from cluster.record.matrix import ColumnRecord, RowRecord
from cluster.record.store import MATRIX, MatrixFolder
from cluster.report.comparison import write_comparison
from cluster.report.page import write_report
from cluster.runs import Runs
from cluster.scenario.scenario import Scenario
from cluster.workload.workloads import workload_named

ALL, NONE = "all", "none"
DURATION_S = 6.0


@click.command()
@click.option("--strategy", "strategies", default="", help="Rows, joined by commas: ttl, sequenced/write-behind, all.")
@click.option("--fault", "faults", default="", help="Columns, joined by commas; all; none: without a fault.")
@click.option("--target", default="one", show_default=True, help="Whom each fault hits.")
@click.option("--seeds", default="1", show_default=True, help="Seeds: 3, or 1-20.")
@click.option("--workload", default="register", show_default=True)
@click.option(
    "--duration", "duration_s", type=float, default=DURATION_S, show_default=True, help="Seconds of each cell."
)
@click.option("--rate", "rate_per_s", type=float, default=400.0, show_default=True, help="Requests a second.")
@click.option("--nodes", type=int, default=3, show_default=True)
@click.option("--workers", type=int, default=2, show_default=True, help="Of each node.")
@click.option("--launcher", default="processes", show_default=True)
@click.option("--telling", is_flag=True, help="Keep no history of cells that are valid: for many seeds.")
@click.option(
    "--resume", is_flag=True, help="Go on with the newest interrupted matrix of these options, if there is one."
)
@click.pass_obj
def matrix(
    runs: Runs,
    /,
    strategies: str,
    faults: str,
    target: str,
    seeds: str,
    telling: bool,
    resume: bool,
    **shape: object,
) -> int:
    """Examine strategies × faults × seeds, a cluster a row, and write one report of it all.

    Without options: the main strategies and faults. Exit codes: 0 valid, 1 a promise was broken, 2 unknown.
    """
    plan = MatrixPlan(
        rows=rows_of(strategies),
        columns=columns_of(faults, target),
        seeds=seeds_of(seeds),
        shape=Scenario(**shape),  # type: ignore[arg-type]  # click's values, checked by Scenario
        telling_only=telling,
    )
    workload_named(plan.shape.workload)
    place = _unfinished(runs, plan) if resume else None
    folder = MatrixFolder(place or new_folder(runs, "matrix", now=datetime.now(UTC)))
    with Ticker(Console(stderr=True, highlight=False)) as ticker:

        def open_place(where: Path) -> OwnCluster:
            return OwnCluster(where, lambda _: None)  # a matrix tells of its cells, not of its clusters

        found = Matrix(plan, folder, ticker, open_place, argv=tuple(sys.argv[1:]), versions=versions()).perform()
    page = write_report(folder.path) if found.cells else None
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH_MIN)
    show_matrix(console, found, folder.path, page)
    return CODES[decision_of(found)[0]]


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--compare", "before", type=click.Path(path_type=Path), help="Another one, to compare it with.")
@click.pass_obj
def report(runs: Runs, folder: Path | None, before: Path | None) -> None:
    """Write the report of a stored run or matrix (default: the newest), or of how two of them differ."""
    place = folder or newest(runs)
    if before is None:
        click.echo(f"The report: {write_report(place)}")
        return
    click.echo(f"The comparison: {write_comparison(before, place)}")


def rows_of(text: str) -> tuple[RowRecord, ...]:
    """`ttl,sequenced/write-behind` as rows; "" the main ones, `all` every strategy. Raises WrongInputError."""
    if not text:
        return tuple(row_of(strategy, path) for strategy, path in MAIN_ROWS)
    if text == ALL:
        return tuple(row_of(strategy, path) for strategy, path in ALL_ROWS)
    rows = []
    for name in _names(text):
        strategy, _, path = name.partition("/")
        Scenario(strategy=strategy, write_path=path or "cache-aside")  # refuses what can't be
        rows.append(row_of(strategy, path or "cache-aside"))
    return tuple(rows)


def columns_of(text: str, target: str) -> tuple[ColumnRecord, ...]:
    """`kill-node,partition` as columns; "" the main ones, `all` every fault, `none` none. Raises WrongInputError."""
    names: Iterable[str] = _names(text) or MAIN_FAULTS
    if text == ALL:
        names = FAULTS
    return tuple(column_of("" if name == NONE else name, target) for name in names)


def seeds_of(text: str) -> tuple[int, ...]:
    """`3` or `1-20`. Raises WrongInputError."""
    first, _, last = text.partition("-")
    try:
        found = tuple(range(int(first), int(last or first) + 1))
    except ValueError:
        found = ()
    if not found:
        raise WrongInputError(f"--seeds {text!r}: expected a number like 3, or a range like 1-20")
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _unfinished(runs: Runs, plan: MatrixPlan) -> Path | None:
    """The newest matrix that was interrupted and is of this plan, whatever was examined since then."""
    for folder in examinations(runs, MATRIX):
        record = MatrixFolder(folder).read()
        same = (record.rows, record.columns, record.seeds, record.shape)
        if not record.finished_at and same == (plan.rows, plan.columns, plan.seeds, plan.shape):
            return folder
    return None
