"""Database: when it is busy, silent, gone or lost in the middle of a commit, the answer comes in time and says so."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from catalog.database import Database
from catalog.errors import DatabaseUnavailable, OutcomeUnknown
from catalog.models import OutboxRow, ProductRow
from catalog.seed import initialise
from catalog.settings import database_url as parsed
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.catalog.conftest import QUICK, OpenShop
from tests.catalog.shop import Shop, open_shop, writer_in_the_way
from tests.database_servers import DatabaseServer, mariadb_server, postgresql_server
from tests.redis_server import RedisServer
from tests.until import until

ANSWER_WITHIN_S = 12.0  # connecting, asking and waiting for a lock are each bounded by a few seconds


@pytest.fixture(params=[postgresql_server, mariadb_server], ids=["postgresql", "mariadb"])
def own_server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    """A server of the test's own, that it may pause."""
    with request.param() as server:
        yield server


@pytest.fixture
def shop_on_server(own_server: DatabaseServer, redis: RedisServer) -> Iterator[Shop]:
    """A shop on that server."""
    url = own_server.fresh_database()
    initialise(parsed({"DATABASE_URL": url}))
    with open_shop(DATABASE_URL=url, REDIS_URL=redis.url, **QUICK) as shop:
        yield shop


def test_nothing_is_opened_before_it_is_used(sqlite_url: str) -> None:
    """A database that was only made has no connection: it may cross a fork."""
    database = Database(parsed({"DATABASE_URL": sqlite_url}))
    assert database._engine.pool.status().startswith("Pool size: 4  Connections in pool: 0 Current Overflow: -4")
    database.close()


def test_a_busy_sqlite_is_waited_for(shop: Shop, sqlite_url: str) -> None:
    """A writer waits for the writer in the way, reads do not wait at all, and the write then succeeds."""
    with writer_in_the_way(sqlite_url):
        assert shop.get("/api/products/1").status_code == 200
    assert shop.put(1).status_code == 200


def test_a_sqlite_that_stays_busy_is_503(shop: Shop, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its bound the write is refused, not applied, and says when to try again."""
    monkeypatch.setattr("catalog.database.BUSY_WITHIN_S", 0.2)
    with open_shop(DATABASE_URL=sqlite_url, **QUICK) as impatient, writer_in_the_way(sqlite_url):
        answer = impatient.put(1)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    problem = answer.get_json()
    assert (problem["outcome"], "locked" in problem["detail"]) == ("not-applied", True)
    assert shop.row(1).version == 1


def test_what_is_cached_is_served_without_a_database(open_here: OpenShop, sqlite_url: str) -> None:
    """With the file gone from under the service a cached product is a hit; one that is not is 503."""
    shop = open_here(TOCSIN_L1_TTL_S="60")
    shop.get("/api/products/1")
    with open_shop(**QUICK, DATABASE_URL="sqlite:////nowhere/at/all/shop.db") as blind:
        answer = blind.get("/api/products/1")
        assert (answer.status_code, answer.headers["Retry-After"], answer.headers["Cache-Control"]) == (
            503,
            "1",
            "no-store",
        )
        assert "outcome" not in answer.get_json()
    assert shop.get("/api/products/1").headers["Cache-Status"].startswith("tocsin-l1;hit")


def test_a_database_in_trouble_is_left_alone_and_says_so(open_here: OpenShop) -> None:
    """After some failures in a row the loader is not even called: 503 with a reason, like every failure before, and
    never an error of ours.
    """
    shop = open_here(DATABASE_URL="sqlite:////nowhere/at/all/shop.db")
    answers = [shop.get(f"/api/products/{number}") for number in range(1, 13)]
    assert {answer.status_code for answer in answers} == {503}
    assert {answer.headers["Retry-After"] for answer in answers} == {"1"}
    assert "left alone" in answers[-1].get_json()["detail"]


def test_a_silent_server_costs_seconds_at_first_and_nothing_then(
    shop_on_server: Shop, own_server: DatabaseServer
) -> None:
    """A paused server: the first reads are 503 within their bounds, the next at once, and cached products are served.

    When it answers again, so do we.
    """
    shop = shop_on_server
    shop.get("/api/products/1")
    own_server.pause()
    try:
        began = time.monotonic()
        refused = [shop.get(f"/api/products/{product_id}") for product_id in (2, 3)]
        assert time.monotonic() - began < 2 * ANSWER_WITHIN_S
        assert [answer.status_code for answer in refused] == [503, 503]
        assert shop.get("/api/products/1").status_code == 200
        write = shop.put(1)
        assert (write.status_code, write.get_json()["outcome"]) == (503, "not-applied")
        assert shop.get("/readyz").get_json()["checks"]["database"]["ok"] is False
    finally:
        own_server.resume()
    until(
        lambda: shop.get("/api/products/4").status_code == 200,
        within_s=ANSWER_WITHIN_S,
        waiting_for="the database to be asked again",
    )
    assert shop.row(1).version == 1


def test_while_the_breaker_is_open_nobody_waits(shop_on_server: Shop, own_server: DatabaseServer) -> None:
    """Right after a failure the database is left alone: the refusal says that it could not be reached a moment ago."""
    own_server.pause()
    try:
        details = [shop_on_server.get("/api/products/1").get_json()["detail"] for _ in range(2)]
    finally:
        own_server.resume()
    assert "a moment ago" in details[1]


def test_a_writer_that_sleeps_in_its_transaction_does_not_hold_the_row_for_ever(
    shop_on_server: Shop,
) -> None:
    """A row whose holder is paused is refused in time, and free again once the server has ended the sleeper."""
    sleeper = ExitStack()
    session = sleeper.enter_context(shop_on_server.worker.database.writing())
    session.get(ProductRow, 7, with_for_update=True)
    assert shop_on_server.put(7).status_code == 503
    until(
        lambda: shop_on_server.put(7).status_code == 200,
        within_s=30,
        waiting_for="the server to end the sleeping transaction",
    )
    with pytest.raises((DatabaseUnavailable, OutcomeUnknown)):
        sleeper.close()  # it wakes up, and finds that its transaction is gone
    assert shop_on_server.row(7).version == 2


def test_a_commit_without_an_answer_is_of_unknown_outcome(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection is lost in COMMIT, which took effect: 500 that says so; nothing is finished by this worker, the
    outbox row waits for the relay, and a repeat with the same key is told what happened.
    """
    commit = Session.commit

    def commit_and_lose_the_answer(session: Session) -> None:
        commit(session)
        raise OperationalError("COMMIT", None, Exception("server closed the connection unexpectedly"))

    shop.get("/api/products/7")
    with monkeypatch.context() as lost:
        lost.setattr(Session, "commit", commit_and_lose_the_answer)
        answer = shop.put(7, Idempotency_Key="k")
    assert (answer.status_code, answer.get_json()["outcome"]) == (500, "unknown")
    assert [row.acknowledged for row in shop.rows(OutboxRow)] == [False]
    assert shop.get("/api/products/7").headers["Cache-Status"].startswith("tocsin-l1;hit")
    again = shop.put(7, Idempotency_Key="k")
    assert (again.status_code, again.headers["Idempotency-Replayed"], again.get_json()["version"]) == (200, "true", 2)


def test_a_commit_that_was_refused_is_of_unknown_outcome_too(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here a lost connection before and after the commit look the same; the repeat does what was undone."""

    def lose_the_connection(session: Session) -> None:
        session.rollback()
        raise OperationalError("COMMIT", None, Exception("server closed the connection unexpectedly"))

    with monkeypatch.context() as lost:
        lost.setattr(Session, "commit", lose_the_connection)
        assert shop.put(7, Idempotency_Key="k").status_code == 500
    again = shop.put(7, Idempotency_Key="k")
    assert (again.status_code, again.get_json()["version"]) == (200, 2)
    assert "Idempotency-Replayed" not in again.headers
