"""Page: the cells of a report, poured into one HTML file that needs nothing else.

The words are static HTML, readable without scripts and found by a search in the page; only the curves are drawn by
plotly, from JSON that lies in the page, when their cell is opened. Jinja escapes whatever came from outside (an error
text, a key); the JSON is escaped for its place in a script.

Bounded: at most CELLS_MAX cells are shown whole, those with the most to tell first; the others keep their field in the
heat map, and `report` can be asked for each of them alone.
"""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from cluster.checker.verdict import Decision
from cluster.record.matrix import CellRecord, ColumnRecord, MatrixRecord, RowRecord
from cluster.record.run import RunRecord
from cluster.record.store import MATRIX, MatrixFolder, RunFolder
from cluster.report.cell import Cell, cell
from cluster.report.grid import grid
from cluster.report.junit import junit
from cluster.report.words import ASSETS, template

CELLS_MAX = 160
TELLING = {Decision.INVALID: 0, Decision.UNKNOWN: 1, Decision.VALID: 2}
JUNIT = "junit.xml"


def write_report(folder: Path) -> Path:
    """Write `report.html` into a run's or a matrix's folder, with `junit.xml` beside it, and return the page's path.

    Raises WrongInputError where the folder holds neither.
    """
    matrix, records = stored(folder)
    cells = [cell(RunFolder(folder / each), folder) for each in _telling(matrix)]
    (folder / JUNIT).write_bytes(junit(matrix))
    report = folder / "report.html"
    report.write_text(render(matrix, cells, records), encoding="utf-8")
    return report


def stored(folder: Path) -> tuple[MatrixRecord, dict[str, RunRecord]]:
    """What a folder holds: a matrix, with its runs by their cells' folders, or a run as the smallest matrix.

    Raises WrongInputError where it holds neither.
    """
    if not (folder / MATRIX).exists():
        alone = RunFolder(folder).read()
        return _matrix_of_one(alone), {"": alone}
    matrix = MatrixFolder(folder).read()
    return matrix, {
        each.folder: RunFolder(folder / each.folder).read() for each in matrix.cells if each.decision is not None
    }


def render(matrix: MatrixRecord, cells: list[Cell], records: dict[str, RunRecord]) -> str:
    """The page. `cells` are shown whole; `records` has the runs of all cells by folder."""
    places = {each.folder: (each.row, each.column, each.seed) for each in matrix.cells}
    return template("page.html").render(
        matrix=matrix,
        grid=grid(matrix, records),
        cells=cells,
        places=places,
        whole={each.folder for each in cells},
        records=records,
        script=Markup((ASSETS / "report.js").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        plotly=Markup(get_plotlyjs().replace("</script", "<\\/script")),  # noqa: S704 - the package's own file
    )


def _telling(matrix: MatrixRecord) -> list[str]:
    """The folders of the cells that are shown whole, in the order of the matrix."""
    ran = [each for each in matrix.cells if each.decision is not None]
    chosen = {each.folder for each in sorted(ran, key=_rank)[:CELLS_MAX]}
    return [each.folder for each in ran if each.folder in chosen]


def _rank(record: CellRecord) -> int:
    assert record.decision is not None
    return TELLING[record.decision]


def _matrix_of_one(record: RunRecord) -> MatrixRecord:
    """A run alone, as the smallest matrix, so that there is one kind of page."""
    scenario = record.scenario
    faults = scenario.faults
    column = "+".join(step.fault for step in faults) or "no fault"
    row = scenario.strategy if scenario.write_path == "cache-aside" else f"{scenario.strategy}/{scenario.write_path}"
    return MatrixRecord(
        id=record.id,
        argv=record.argv,
        started_at=record.started_at,
        finished_at=record.started_at,
        versions=record.versions,
        rows=(
            RowRecord(
                name=row,
                strategy=scenario.strategy,
                write_path=scenario.write_path,
                settings=scenario.settings,
                contract=record.contract,
            ),
        ),
        columns=(ColumnRecord(name=column, fault=column, target="+".join(step.target for step in faults)),),
        seeds=(scenario.seed,),
        cells=(
            CellRecord(
                row=row,
                column=column,
                seed=scenario.seed,
                folder="",
                decision=record.decision,
                reason=record.reason or record.skipped,
            ),
        ),
    )
