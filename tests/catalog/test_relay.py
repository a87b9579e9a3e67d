"""Relay: what a writer committed and did not make known is made known, on every database, whoever is away."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
from catalog.models import IdempotencyRow, OutboxRow
from catalog.relay import KEEP_S, forget, relay_of
from catalog.settings import database_url as parsed
from sqlalchemy import create_engine, text
from tocsin import Names, SettingsError
from tocsin.outbox.opening import outbox_at
from tocsin.outbox.table import DatabaseOutbox
from tocsin.position import Position
from tocsin.relay import GRACE_S, OutboxUnavailable, Relay

from tests.catalog.conftest import QUICK, OpenShop
from tests.catalog.shop import NOBODY, Shop, open_shop
from tests.redis_server import RedisServer
from tests.until import until


@pytest.fixture
def cut(stocked_url: str) -> Iterator[Shop]:
    """A node that can't reach Redis, on each database in turn: its writes commit, and nobody is told."""
    with open_shop(REDIS_URL=NOBODY, DATABASE_URL=stocked_url, **QUICK) as shop:
        yield shop


@pytest.fixture
def outbox(stocked_url: str) -> Iterator[DatabaseOutbox]:
    """The outbox of that database, as an agent reads it."""
    with contextlib.closing(outbox_at(stocked_url)) as opened:
        yield opened


def test_a_pending_write_is_made_known(cut: Shop, stocked_url: str, redis: RedisServer) -> None:
    """Cut off from Redis a node commits; the relay, which is not cut off, ends it, and the other worker sees it."""
    with open_shop(DATABASE_URL=stocked_url, REDIS_URL=redis.url, TOCSIN_STRATEGY="l2-only") as other:
        assert other.get("/api/products/7").get_json()["version"] == 1
        assert cut.put(7).headers["Tocsin-Pending"] == "true"
        assert other.get("/api/products/7").get_json()["version"] == 1
        relay = relay_of(other.worker.cache)
        relay.attempt()
        assert relay.relayed == 0, "younger than 200 ms a row is its writer's business"
        until(lambda: relay.attempt() and relay.relayed, within_s=10, waiting_for="the row to be 200 ms old")
        assert other.get("/api/products/7").get_json()["version"] == 2
        assert [row.acknowledged for row in other.rows(OutboxRow)] == [True]
        relay.close()


def test_an_agent_reads_and_marks_the_rows_that_the_catalogue_writes(cut: Shop, outbox: DatabaseOutbox) -> None:
    """Names as they were written, the oldest first; a mark carries the position, and marked rows are not seen again."""
    cut.put(7)
    cut.put(8)
    first, second = outbox.waiting(10)
    assert set(first.names.keys) == {"product:7"}
    assert first.names.namespaces == ("products",)
    assert [row.id for row in outbox.waiting(1)] == [first.id]
    outbox.acknowledge([first.id], Position(0xA3C91F2E7, 42))
    assert [row.id for row in outbox.waiting(10)] == [second.id]
    outbox.acknowledge([second.id], None)
    assert [row.position for row in cut.rows(OutboxRow)] == ["0000000a3c91f2e7,42", None]


def test_no_transaction_is_open_while_redis_is_asked(cut: Shop, outbox: DatabaseOutbox, stocked_url: str) -> None:
    """While the relay talks to Redis a third party may lock the whole table at once, on every database."""
    cut.put(7)
    locked = {
        "sqlite": ["BEGIN EXCLUSIVE", "ROLLBACK"],
        "postgresql": ["SET lock_timeout = '1ms'", "LOCK TABLE outbox IN ACCESS EXCLUSIVE MODE NOWAIT"],
        "mariadb": ["SET SESSION lock_wait_timeout = 1", "LOCK TABLES outbox WRITE", "UNLOCK TABLES"],
    }
    url = parsed({"DATABASE_URL": stocked_url})
    engine = create_engine(url)
    asked: list[Names] = []

    def finish(names: Names) -> None:
        asked.append(names)
        with engine.connect() as connection:
            if url.get_backend_name() == "sqlite":
                connection.connection.isolation_level = None  # type: ignore[attr-defined]
                connection.exec_driver_sql("PRAGMA busy_timeout = 1")
            for statement in locked[url.get_backend_name()]:
                connection.execute(text(statement))
            connection.rollback()

    moments = iter((100.0, 100.0, 100.0 + GRACE_S, 100.0 + GRACE_S))
    relay = Relay(outbox, finish, now=lambda: next(moments), chance=lambda: 0.5)
    relay.turn()
    relay.turn()
    engine.dispose()
    assert len(asked) == relay.relayed == 1


def test_an_outbox_that_goes_away_is_opened_again(cut: Shop, outbox: DatabaseOutbox, stocked_url: str) -> None:
    """A broken connection is an error once, in our words, and the next call has a fresh one."""
    cut.put(7)
    assert len(outbox.waiting(10)) == 1
    assert outbox._connection is not None
    outbox._connection.close()
    with pytest.raises(OutboxUnavailable, match="the outbox can't be read or marked: "):
        outbox.waiting(10)
    assert len(outbox.waiting(10)) == 1


def test_without_tables_the_error_says_so(tmp_path: object) -> None:
    """An empty database, and a file that is not there: neither is taken for an outbox in which nothing waits."""
    missing = outbox_at(f"sqlite:///{tmp_path}/nothing.db")
    with pytest.raises(OutboxUnavailable, match="unable to open database file"):
        missing.waiting(1)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///shop.db", "names no absolute path"),
        ("mariadb://shop@db/shop?ssl=yes", "has the option 'ssl': there are charset"),
    ],
)
def test_an_outbox_url_that_cannot_be_meant_is_refused(url: str, said: str) -> None:
    """When the agent starts, not when the first writer dies."""
    with pytest.raises(SettingsError, match=said):
        outbox_at(url)


def test_only_old_and_settled_rows_are_forgotten(open_here: OpenShop) -> None:
    """After a day acknowledged outbox rows and retry keys go; what still waits stays, however old."""
    cut, other = open_here(REDIS_URL=NOBODY), open_here()
    cut.put(7, Idempotency_Key="old")
    other.put(8, Idempotency_Key="also-old")
    written = other.rows(OutboxRow)[0].created_at
    forget(other.worker.database, now=written + KEEP_S - 60)
    assert (len(other.rows(OutboxRow)), len(other.rows(IdempotencyRow))) == (2, 2)
    forget(other.worker.database, now=written + KEEP_S + 60)
    assert [row.acknowledged for row in other.rows(OutboxRow)] == [False]
    assert other.rows(IdempotencyRow) == []
