"""Grid: the heat map as values: a tile for each row and column of a matrix, merged over its seeds, and row prices.

A tile's decision is that of all its seeds: invalid outranks unknown, which outranks valid; skipped ones are apart. Its
numbers are the worst of its seeds for what is promised; a row's price is the median, because one noisy run is no price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median

import msgspec

from cluster.checker.verdict import Decision, merge
from cluster.record.figures import Figures
from cluster.record.matrix import SKIPPED, CellRecord, ColumnRecord, MatrixRecord, RowRecord
from cluster.record.run import RunRecord


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the heat map. `cells` are its runs in order of seed; numbers None where nothing was measured."""

    cells: tuple[CellRecord, ...]
    verdict: str
    tally: str
    reason: str
    worst_stale_ms: float | None = None
    stale_percent: float | None = None
    converged_ms: float | None = None
    lost_writes: int | None = None
    answered_percent: float | None = None


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a strategy costs: medians over the row's runs."""

    hits_percent: float | None
    loads_per_1000_reads: float | None
    read_p50_ms: float | None
    read_p99_ms: float | None
    write_p50_ms: float | None
    write_p99_ms: float | None


class GridRow(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy: a tile per column, and its price."""

    row: RowRecord
    tiles: tuple[Tile, ...]
    price: Price


class Grid(msgspec.Struct, frozen=True, kw_only=True):
    """The heat map."""

    columns: tuple[ColumnRecord, ...]
    rows: tuple[GridRow, ...]


def grid(matrix: MatrixRecord, records: dict[str, RunRecord]) -> Grid:
    """The heat map of a matrix. `records` holds the runs by the folder that their cell names."""
    by_tile: dict[tuple[str, str], list[CellRecord]] = {}
    for cell in matrix.cells:
        by_tile.setdefault((cell.row, cell.column), []).append(cell)
    return Grid(
        columns=matrix.columns,
        rows=tuple(
            GridRow(
                row=row,
                tiles=tuple(_tile(by_tile.get((row.name, column.name), []), records) for column in matrix.columns),
                price=_price(_figures((cell for cell in matrix.cells if cell.row == row.name), records)),
            )
            for row in matrix.rows
        ),
    )


def _figures(cells: Iterable[CellRecord], records: dict[str, RunRecord]) -> list[Figures]:
    found = (records.get(cell.folder) for cell in cells if cell.decision is not None)
    return [record.figures for record in found if record is not None and record.figures is not None]


def _tile(cells: list[CellRecord], records: dict[str, RunRecord]) -> Tile:
    cells = sorted(cells, key=lambda cell: cell.seed)
    decided = [cell for cell in cells if cell.decision is not None]
    if not decided:
        reason = cells[0].reason if cells else "it was not run"
        return Tile(cells=tuple(cells), verdict=SKIPPED, tally="", reason=reason)
    decision = merge(cell.decision for cell in decided if cell.decision is not None)
    figures = _figures(decided, records)
    fresh = [each.freshness["all"] for each in figures if "all" in each.freshness]
    return Tile(
        cells=tuple(cells),
        verdict=decision.value,
        tally=_tally(cells),
        reason=next(cell.reason for cell in decided if cell.decision is decision),
        worst_stale_ms=_worst(each.worst_at_least_ns / 1e6 for each in fresh),
        stale_percent=_worst(100 * (each.stale.value or 0.0) for each in fresh),
        converged_ms=_worst(each.convergence_max_ns / 1e6 for each in figures if each.convergence_max_ns is not None),
        lost_writes=max((each.lost_writes for each in figures), default=None),
        answered_percent=min(
            (100 * each.answered.value for each in figures if each.answered.value is not None), default=None
        ),
    )


def _tally(cells: Sequence[CellRecord]) -> str:
    """`18 valid, 2 unknown` where there are several seeds."""
    if len(cells) == 1:
        return ""
    words = [cell.decision.value if cell.decision is not None else SKIPPED for cell in cells]
    return ", ".join(
        f"{words.count(word)} {word}" for word in (*(each.value for each in Decision), SKIPPED) if word in words
    )


def _worst(numbers: Iterable[float]) -> float | None:
    return max(numbers, default=None)


def _price(figures: list[Figures]) -> Price:
    def middle(number: Callable[[Figures], float | None]) -> float | None:
        known = [value for value in map(number, figures) if value is not None]
        return median(known) if known else None

    return Price(
        hits_percent=middle(lambda each: None if each.hits.value is None else 100 * each.hits.value),
        loads_per_1000_reads=middle(lambda each: 1000 * each.loads / each.reads if each.reads else None),
        read_p50_ms=middle(lambda each: each.read_latency.p50_ns / 1e6),
        read_p99_ms=middle(lambda each: each.read_latency.p99_ns / 1e6),
        write_p50_ms=middle(lambda each: each.write_latency.p50_ns / 1e6),
        write_p99_ms=middle(lambda each: each.write_latency.p99_ns / 1e6),
    )
