"""Comparison: two runs or matrices side by side: what changed its verdict, and what changed its price.

For whoever changed a strategy, a setting or this program, and asks what that did. Runs are paired by row and column;
one that stands in only one of the two is named and compared with nothing. Numbers are shown as they are: whether a
difference is more than noise is for several seeds to say.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from cluster.record.matrix import MatrixRecord
from cluster.report.grid import Grid, Price, Tile, grid
from cluster.report.page import stored
from cluster.report.words import template

RANK = {"valid": 0, "skipped": 1, "unknown": 2, "invalid": 3}


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """One strategy under one fault, before and after; None where it was not part of that matrix."""

    row: str
    column: str
    before: Tile | None
    after: Tile | None

    @property
    def change(self) -> str:
        """`worse`, `better`, `same`, or `new` and `gone` where there is nothing to compare with."""
        if self.before is None or self.after is None:
            return "new" if self.before is None else "gone"
        was, now = RANK[self.before.verdict], RANK[self.after.verdict]
        return "same" if was == now else "worse" if now > was else "better"


class PricePair(msgspec.Struct, frozen=True, kw_only=True):
    """What a row costs, before and after."""

    row: str
    before: Price
    after: Price


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Two matrices. `pairs` in the order of the later one, what changed its verdict first."""

    before: str
    after: str
    pairs: tuple[Pair, ...]
    prices: tuple[PricePair, ...]

    def changed(self, change: str) -> tuple[Pair, ...]:
        """The pairs with that change."""
        return tuple(pair for pair in self.pairs if pair.change == change)


def compare(before: Path, after: Path) -> Comparison:
    """Compare what is stored in two folders. Raises WrongInputError where one holds neither run nor matrix."""
    (first, first_records), (second, second_records) = stored(before), stored(after)
    return paired(first, grid(first, first_records), second, grid(second, second_records))


def paired(first: MatrixRecord, first_grid: Grid, second: MatrixRecord, second_grid: Grid) -> Comparison:
    """The comparison of two grids."""
    was, now = _tiles(first_grid), _tiles(second_grid)
    names = [*now, *(name for name in was if name not in now)]
    pairs = [
        Pair(row=row, column=column, before=was.get((row, column)), after=now.get((row, column)))
        for row, column in names
    ]
    order = {"worse": 0, "better": 1, "new": 2, "gone": 3, "same": 4}
    prices = {line.row.name: line.price for line in first_grid.rows}
    return Comparison(
        before=first.id,
        after=second.id,
        pairs=tuple(sorted(pairs, key=lambda pair: order[pair.change])),
        prices=tuple(
            PricePair(row=line.row.name, before=prices[line.row.name], after=line.price)
            for line in second_grid.rows
            if line.row.name in prices
        ),
    )


def write_comparison(before: Path, after: Path) -> Path:
    """Write `comparison.html` into the folder of `after` and return its path. Raises as `compare` does."""
    page = after / "comparison.html"
    page.write_text(template("comparison.html").render(comparison=compare(before, after)), encoding="utf-8")
    return page


def _tiles(of: Grid) -> dict[tuple[str, str], Tile]:
    return {
        (line.row.name, column.name): tile
        for line in of.rows
        for column, tile in zip(of.columns, line.tiles, strict=True)
    }
