"""Fence: a writer that was stopped past its deadline can't commit, wherever it was stopped."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from catalog.database import Database
from catalog.errors import DatabaseUnavailable, OutcomeUnknown
from catalog.fence import FENCES
from catalog.models import ProductRow
from catalog.seed import initialise
from catalog.settings import database_url as parsed
from sqlalchemy.orm import Session
from tocsin import Layer, Strategy

from tests.catalog.nodes import Node, nodes, run_python
from tests.catalog.shop import NOBODY, open_shop
from tests.database_servers import DatabaseServer
from tests.redis_server import RedisServer
from tests.until import until

WRITER = """
import os, signal, sys
from catalog.writes import DirectWrites
from sqlalchemy.orm import Session
from tests.catalog.shop import open_shop
kind, name = {"announced": (DirectWrites, "_transact"), "ready to commit": (Session, "commit")}[sys.argv[4]]
original = getattr(kind, name)
def stopped_before(*words):
    os.kill(os.getpid(), signal.SIGSTOP)
    return original(*words)
settings = {"TOCSIN_STRATEGY": "strict", "CATALOG_RUN_DIR": sys.argv[3], "CATALOG_NODE": "node-1"}
with open_shop(DATABASE_URL=sys.argv[1], REDIS_URL=sys.argv[2], **settings) as shop:
    setattr(kind, name, stopped_before)
    answer = shop.put(7)
print(answer.status_code, answer.get_json()["outcome"], file=sys.stderr)
"""


@pytest.fixture(params=["postgresql", "mariadb"])
def fenced_url(request: pytest.FixtureRequest) -> str:
    """A stocked database that can end a transaction by itself, of each such kind in turn."""
    server: DatabaseServer = request.getfixturevalue(request.param)
    url = server.fresh_database()
    initialise(parsed({"DATABASE_URL": url}))
    return url


@pytest.fixture
def reader(redis: RedisServer, fenced_url: str, tmp_path: Path) -> Iterator[Node]:
    """A strict node that goes on reading."""
    with nodes(redis.url, fenced_url, tmp_path) as opened:
        yield opened("node-2", strategy=Strategy.STRICT, lease_s=1.0)


def set_version(session: Session, version: int) -> None:
    row = session.get(ProductRow, 7)
    assert row is not None
    row.version = version


def version_in(database: Database) -> int:
    with database.reading() as session:
        row = session.get(ProductRow, 7)
        assert row is not None
        return row.version


def test_a_write_that_has_no_time_left_is_not_written(stocked_url: str) -> None:
    """Too little is left when all but COMMIT is done: rolled back, and said to be certain. On every database."""
    database = Database(parsed({"DATABASE_URL": stocked_url}))
    needed_s = FENCES[database.kind].commit_within_s
    with (
        pytest.raises(DatabaseUnavailable, match="under way for too long"),
        database.writing(lambda: needed_s - 0.01) as session,
    ):
        set_version(session, 2)
    assert version_in(database) == 1
    with database.writing(lambda: needed_s + 0.01) as session:
        set_version(session, 3)
    assert version_in(database) == 3
    database.close()


def test_a_commit_later_than_the_look_allows_is_refused_by_the_server(
    fenced_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped after the look, a writer finds that the server has ended its transaction: another one got the row."""
    late, other = (Database(parsed({"DATABASE_URL": fenced_url})) for _ in range(2))
    commit = Session.commit

    def other_gets_the_row() -> bool:
        try:
            with other.writing() as session:
                set_version(session, 2)
        except DatabaseUnavailable:
            return False
        return True

    def commit_late(session: Session) -> None:
        monkeypatch.setattr(Session, "commit", commit)
        until(other_gets_the_row, within_s=30, waiting_for="the server to end the transaction of the late writer")
        commit(session)

    def write_late() -> None:
        with late.writing(lambda: 2.0) as session:
            set_version(session, 99)
            session.flush()
            monkeypatch.setattr(Session, "commit", commit_late)

    with pytest.raises(OutcomeUnknown):
        write_late()
    assert version_in(other) == 2
    late.close()
    other.close()


@pytest.mark.parametrize("stopped", ["announced", "ready to commit"])
def test_a_strict_writer_that_is_stopped_past_its_deadline_changes_nothing(
    reader: Node, redis: RedisServer, fenced_url: str, tmp_path: Path, stopped: str
) -> None:
    """SIGSTOP after its announcement, or right before its COMMIT, until others have read and kept the old row.

    If it could commit when it wakes up, those who kept the old row would show it after the new one was acknowledged.
    """
    (tmp_path / "node-1").mkdir(mode=0o700)
    with run_python(WRITER, fenced_url, redis.url, str(tmp_path / "node-1"), stopped) as writer:
        process = psutil.Process(writer.pid)
        until(lambda: process.status() == psutil.STATUS_STOPPED, within_s=60, waiting_for="the writer to stop itself")
        assert reader.read() == (b"1", Layer.DATABASE), "while it may still commit nobody keeps anything"
        assert not reader.has_in_l1(b"1")
        until(lambda: reader.has_in_l1(b"1"), within_s=30, waiting_for="its deadline to be over, and the old row kept")
        process.send_signal(signal.SIGCONT)
        _, told = writer.communicate(timeout=60)
    assert told.splitlines()[-1] in ("503 not-applied", "500 unknown"), told
    assert version_in(reader.database) == 1
    assert reader.read()[0] == b"1"


def test_a_strict_write_without_redis_is_refused_and_not_written(sqlite_url: str) -> None:
    """It could be committed only by breaking the promise: 503, certain, and the row is what it was."""
    with open_shop(DATABASE_URL=sqlite_url, REDIS_URL=NOBODY, TOCSIN_STRATEGY="strict") as shop:
        answer = shop.put(7)
        assert (answer.status_code, answer.get_json()["outcome"]) == (503, "not-applied")
        assert "a strict write needs Redis" in answer.get_json()["detail"]
        assert shop.row(7).version == 1
