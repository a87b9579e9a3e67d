"""A matrix on a terminal: a line per row, and the banner that counts every cell, unknown and skipped ones by reason."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cluster.checker.verdict import Decision
from cluster.engine.verdict_table import decided
from cluster.record.matrix import SKIPPED, CellRecord, MatrixRecord

DECIDED_SHARE_MIN = 0.95
REFERENCE = "sequenced"
"""The strategy whose cells must be decided, and not only not convicted: an examiner that can't tell is no examiner."""
WORST = (Decision.INVALID, Decision.UNKNOWN, Decision.VALID)
REASONS_MAX = 6
ACROSS_MAX = 10


def decision_of(record: MatrixRecord) -> tuple[Decision, str]:
    """The decision on a matrix, and why: as of its cells, and too many unknown ones of the reference fail as well."""
    cells = [cell for cell in record.cells if cell.row.partition("/")[0] == REFERENCE and cell.decision is not None]
    unknown = sum(cell.decision is Decision.UNKNOWN for cell in cells)
    if cells and 1 - unknown / len(cells) < DECIDED_SHARE_MIN:
        return Decision.INVALID, f"{unknown} of {len(cells)} cells of {REFERENCE} are undecided; 95 % must be decided"
    decision = record.decision
    return decision, {Decision.VALID: "every contract was kept", Decision.INVALID: "contracts were broken"}.get(
        decision, "not everything could be decided"
    )


def show_matrix(console: Console, record: MatrixRecord, folder: Path, report: Path | None) -> None:
    """Print it."""
    console.print(_grid(record), "", sep="\n")
    decision, why = decision_of(record)
    counts = record.counts
    parts = [f"{counts[each.value]} {each.value}" for each in WORST] + [f"{counts[SKIPPED]} {SKIPPED}"]
    unfinished = "" if record.finished_at else " (interrupted: `matrix --resume` goes on with it)"
    console.print(f"[bold]{decided(decision)}[/]: {why}; {len(record.cells)} cells: {', '.join(parts)}{unfinished}")
    for name, chosen in ((SKIPPED, None), (Decision.UNKNOWN.value, Decision.UNKNOWN), ("invalid", Decision.INVALID)):
        for reason, count in _reasons(record, chosen):
            console.print(f"  {count} {name}: {escape(reason)}", soft_wrap=True)
    console.print(f"  The report: {report}" if report else f"  The matrix: {folder}", soft_wrap=True)


def _reasons(record: MatrixRecord, decision: Decision | None) -> list[tuple[str, int]]:
    found = Counter(
        cell.reason if decision is None else f"{cell.row} × {cell.column}: {cell.reason}"
        for cell in record.cells
        if cell.decision is decision
    )
    return found.most_common(REASONS_MAX)


def _grid(record: MatrixRecord) -> Table:
    """Strategies down and faults across; the other way round where there are more faults than a terminal is wide."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="bold")
    table.add_column("")
    if len(record.columns) > ACROSS_MAX:
        for row in record.rows:
            table.add_column(row.name, overflow="fold")
        for column in record.columns:
            table.add_row(column.name, *(_field(record, row.name, column.name) for row in record.rows))
        return table
    for column in record.columns:
        table.add_column(column.name, overflow="fold")
    for row in record.rows:
        table.add_row(row.name, *(_field(record, row.name, column.name) for column in record.columns))
    return table


def _field(record: MatrixRecord, row: str, column: str) -> str:
    cells = [cell for cell in record.cells if (cell.row, cell.column) == (row, column)]
    if not cells:
        return "[dim]–[/]"
    worst = min(cells, key=_rank)
    alike = sum(cell.decision is worst.decision for cell in cells)
    return decided(worst.decision) + (f" {alike}/{len(cells)}" if len(cells) > 1 else "")


def _rank(cell: CellRecord) -> int:
    return len(WORST) if cell.decision is None else WORST.index(cell.decision)
