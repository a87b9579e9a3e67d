"""The table as a file that processes share: who may write it, who is there, and what is never mapped."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
from tocsin.generation import FORMAT, Generations, Keeper, size_bytes
from tocsin.generation_file import GenerationFile, folder_for
from tocsin.position import Position
from tocsin.proof import Stamp

SLOTS = 64


@pytest.fixture
def file(tmp_path: Path) -> GenerationFile:
    """The files of a node, prepared."""
    file = GenerationFile(tmp_path / "private" / "node", slots=SLOTS)
    file.prepare()
    return file


def test_workers_see_what_the_agent_stores(file: GenerationFile) -> None:
    """Two mappings of one file: an entry known good at 4 is no hit for the worker once the agent has applied 5."""
    keeper = Keeper(file.map_to_write())
    memory = file.map_to_read()
    assert memory is not None
    table = Generations(memory)
    keeper.flush(Position(7, 4))
    keeper.renew(100.0)
    stamp = Stamp(7, 4, table.slots(["k:product:1"]))
    assert table.doubt(stamp, 50.0) == ""
    keeper.apply(5, ["k:product:1"])
    assert table.doubt(stamp, 50.0) == "invalidated"
    assert table.doubt(Stamp(7, 5, stamp.slots), 50.0) == ""
    assert table.position() == Position(7, 5)


def test_a_worker_cannot_write_the_table(file: GenerationFile) -> None:
    """What workers map is read-only: a defect in one can't revive entries in all."""
    file.map_to_write()
    memory = file.map_to_read()
    assert memory is not None
    with pytest.raises(TypeError, match="read-only"):
        memory.words[FORMAT] = 0


def test_there_is_no_table_before_an_agent_has_made_one(file: GenerationFile) -> None:
    """A worker that is first maps nothing."""
    assert file.map_to_read() is None
    assert file.identity() == (0, 0)


@pytest.mark.parametrize("content", [b"short", b"x" * size_bytes(SLOTS)])
def test_a_file_of_another_format_is_replaced_and_never_mapped(file: GenerationFile, content: bytes) -> None:
    """After an upgrade that changes the layout, old workers keep their file and new ones get another."""
    (file.folder / "table").write_bytes(content)
    before = file.identity()
    assert file.map_to_read() is None
    file.map_to_write()
    assert file.identity() != before
    assert file.map_to_read() is not None


def test_a_table_outlives_its_agent(file: GenerationFile) -> None:
    """A new agent finds what the one before it had applied, and the same file."""
    Keeper(file.map_to_write()).flush(Position(7, 4))
    before = file.identity()
    assert Keeper(file.map_to_write()).take_over() == Position(7, 4)
    assert file.identity() == before


def test_there_is_one_agent_at_a_time(file: GenerationFile) -> None:
    """The lock is held until whoever has it open closes it, or dies."""
    held = file.lock_agent()
    assert held is not None
    assert file.lock_agent() is None
    os.close(held)
    again = file.lock_agent()
    assert again is not None
    os.close(again)


def test_the_agent_sees_whether_any_worker_is_there(file: GenerationFile) -> None:
    """Each worker counts until its own file is closed."""
    assert not file.anybody_there()
    first, second = file.join_workers(), file.join_workers()
    os.close(first)
    assert file.anybody_there()
    os.close(second)
    assert not file.anybody_there()


@pytest.mark.parametrize(
    ("above", "own", "refused"),
    [
        (0o777, 0o700, True),
        (0o775, 0o700, True),
        (0o700, 0o755, True),
        (0o755, 0o700, False),
        (0o700, 0o700, False),
    ],
)
def test_a_folder_that_others_may_write_is_refused(tmp_path: Path, above: int, own: int, refused: bool) -> None:
    """Somebody else's table would decide what is a hit; that others may look into the folder above it does no harm."""
    (tmp_path / "above" / "table").mkdir(parents=True)
    (tmp_path / "above" / "table").chmod(own)
    (tmp_path / "above").chmod(above)
    expected = pytest.raises(PermissionError, match="must be this user's") if refused else contextlib.nullcontext()
    with expected:
        GenerationFile(tmp_path / "above" / "table").prepare()


def test_nodes_have_folders_of_their_own() -> None:
    """Another node, namespace or Redis is another table; the same is the same for all workers."""
    folder = folder_for("redis://a", "catalog", "node-1")
    assert folder == folder_for("redis://a", "catalog", "node-1")
    others = {
        folder_for("redis://b", "catalog", "node-1"),
        folder_for("redis://a", "other", "node-1"),
        folder_for("redis://a", "catalog", "node-2"),
    }
    assert len(others | {folder}) == 4
