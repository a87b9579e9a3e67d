"""A matrix as a value: `matrix.json`. Rows are what was tried, columns what it suffered, a cell is a run."""

from __future__ import annotations

from collections import Counter

import msgspec

from cluster.checker.verdict import Decision, merge
from cluster.scenario.scenario import Scenario

SCHEMA = 1
SKIPPED = "skipped"


class RowRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A strategy with its write path and settings; `contract` is its promise in words."""

    name: str
    strategy: str
    write_path: str
    settings: dict[str, str] = {}
    contract: str = ""


class ColumnRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A fault with its target and parameters; `summary` as `list faults` has it."""

    name: str
    fault: str
    target: str
    summary: str = ""


class CellRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run of the matrix. `folder` is its run folder, relative to the matrix's ("" if nothing was run).

    `decision` None: skipped, for `reason`.
    """

    row: str
    column: str
    seed: int
    folder: str
    decision: Decision | None
    reason: str


class MatrixRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A matrix: its cells in the order in which they ran. `finished_at` "": it was interrupted, and can be resumed.

    `shape`: what all cells share (rate, duration, nodes, launcher); its strategy, faults and seed are each cell's own.
    """

    schema: int = SCHEMA
    id: str
    argv: tuple[str, ...] = ()
    started_at: str = ""
    finished_at: str = ""
    versions: dict[str, str] = {}
    rows: tuple[RowRecord, ...] = ()
    columns: tuple[ColumnRecord, ...] = ()
    seeds: tuple[int, ...] = ()
    shape: Scenario | None = None
    cells: tuple[CellRecord, ...] = ()

    @property
    def counts(self) -> Counter[str]:
        """How many cells are valid, invalid, unknown and skipped."""
        return Counter(SKIPPED if cell.decision is None else cell.decision.value for cell in self.cells)

    @property
    def decision(self) -> Decision:
        """All cells together, skipped ones apart: invalid outranks unknown, which outranks valid; of none: unknown."""
        return merge(cell.decision for cell in self.cells if cell.decision is not None)
