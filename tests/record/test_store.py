"""Records on file: what was written is what is read, and what is no record is refused by name."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cluster.checker.verdict import Decision
from cluster.errors import WrongInputError
from cluster.record.store import MatrixFolder, RunFolder
from tests.record.examples import MATRIX, RUN


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """A run and a matrix, whole; the folders are made."""
    RunFolder(tmp_path / "a" / "run").write(RUN)
    MatrixFolder(tmp_path / "matrix").write(MATRIX)
    assert RunFolder(tmp_path / "a" / "run").read() == RUN
    assert MatrixFolder(tmp_path / "matrix").read() == MATRIX


def test_the_new_record_takes_the_place_of_the_old(tmp_path: Path) -> None:
    """And nothing else is left in the folder."""
    folder = RunFolder(tmp_path)
    folder.write(RUN)
    folder.write(msgspec.structs.replace(RUN, decision=Decision.VALID))
    assert folder.read().decision is Decision.VALID
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    ("text", "said"),
    [(None, "holds no run.json"), ("{", "can't be read"), ('{"schema":1}', "missing required field `id`")],
)
def test_what_is_no_record_is_refused(tmp_path: Path, text: str | None, said: str) -> None:
    """The error names the file, or the folder that has none."""
    if text is not None:
        (tmp_path / "run.json").write_text(text)
    with pytest.raises(WrongInputError, match=said) as refused:
        RunFolder(tmp_path).read()
    assert str(tmp_path) in str(refused.value)


def test_a_record_of_another_schema_is_refused(tmp_path: Path) -> None:
    """Rather than read as something that it is not."""
    RunFolder(tmp_path).write(msgspec.structs.replace(RUN, schema=99))
    with pytest.raises(WrongInputError, match="schema 99; this version reads 1"):
        RunFolder(tmp_path).read()


def test_a_matrix_counts_its_cells_and_its_worst_decides() -> None:
    """Skipped cells are counted apart and decide nothing; fail outranks unknown, which outranks valid."""
    assert MATRIX.counts == {"invalid": 1, "unknown": 1, "skipped": 1, "valid": 1}
    assert MATRIX.decision is Decision.INVALID
    without = msgspec.structs.replace(MATRIX, cells=MATRIX.cells[1:])
    assert without.decision is Decision.UNKNOWN
    assert msgspec.structs.replace(MATRIX, cells=MATRIX.cells[2:]).decision is Decision.VALID
    assert msgspec.structs.replace(MATRIX, cells=MATRIX.cells[2:3]).decision is Decision.UNKNOWN


def test_a_cell_has_a_folder_of_its_own(tmp_path: Path) -> None:
    """Within the matrix's, also for rows whose name has a slash."""
    matrix = MatrixFolder(tmp_path)
    cell = matrix.cell("sequenced/write-through", "kill", 3).path
    assert cell == tmp_path / "cells" / "sequenced+write-through" / "kill-3"
    assert matrix.run(str(cell.relative_to(tmp_path))).path == cell
