"""Reading logs: the end of each, whole lines, and what comes after."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.errors import WrongInputError
from cluster.launcher import LogLine
from cluster.processes.logs import follow_logs, read_logs


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two logs; the second ends in the middle of a line."""
    (tmp_path / "node-1.log").write_text("one\ntwo\nthree\n", encoding="utf-8")
    (tmp_path / "redis.log").write_text("ready\nhalf a li", encoding="utf-8")
    return tmp_path


def test_the_last_lines_of_every_log(folder: Path) -> None:
    """In the order of their names; a line that is still being written waits."""
    lines, _ = read_logs(folder, None, tail=2)
    assert lines == [LogLine("node-1", "two"), LogLine("node-1", "three"), LogLine("redis", "ready")]


def test_one_log_by_its_name(folder: Path) -> None:
    """A wrong name is answered with those that there are."""
    assert read_logs(folder, "redis", tail=9)[0] == [LogLine("redis", "ready")]
    assert read_logs(folder, "redis", tail=0)[0] == []
    with pytest.raises(WrongInputError, match="no log is called 'node-7'; there are node-1, redis"):
        read_logs(folder, "node-7", tail=9)


def test_following_goes_on_where_reading_stopped(folder: Path) -> None:
    """A line that was half is given whole, once, when its end is written; the last round is not missed."""
    _, offsets = read_logs(folder, None, tail=1)
    rounds = 0

    def write_more(_seconds: float) -> None:
        nonlocal rounds
        rounds += 1
        with (folder / "redis.log").open("a", encoding="utf-8") as file:
            file.write("ne\nnext\n" if rounds == 1 else "last\n")

    followed = list(follow_logs(offsets, lambda: rounds < 2, pause=write_more))
    assert followed == [LogLine("redis", "half a line"), LogLine("redis", "next"), LogLine("redis", "last")]
