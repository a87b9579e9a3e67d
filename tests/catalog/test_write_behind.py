"""Write-behind: acknowledged by Redis, visible at once, and in the database after the drain; once and in order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from catalog.behind import BehindWrites
from catalog.drain import drain
from catalog.errors import DatabaseUnavailable
from catalog.models import AuditRow, ProductRow
from catalog.product import Product
from sqlalchemy import delete
from tocsin import Cache

from tests.catalog.conftest import OpenShop
from tests.catalog.shop import BELL, NOBODY, Shop, open_shop, writer_in_the_way
from tests.redis_server import RedisServer

BEHIND = {"TOCSIN_WRITE_PATH": "write-behind", "TOCSIN_STRATEGY": "l2-only"}


@pytest.fixture
def behind(open_here: OpenShop) -> Shop:
    """A worker that writes behind, on SQLite."""
    return open_here(**BEHIND)


def drained(shop: Shop) -> int:
    """Drain what waits; how many operations."""
    return drain(shop.worker.database, shop.worker.cache)


def test_a_write_is_seen_before_the_database_has_it(open_here: OpenShop) -> None:
    """The answer says `durable: false`; every worker reads the new version; the row is still the old one."""
    one, other = open_here(**BEHIND), open_here(**BEHIND)
    written = one.put(7)
    assert written.get_json() == {"id": 7, **BELL, "version": 2, "durable": False}
    for shop in (one, other):
        read = shop.get("/api/products/7")
        assert read.get_json() == {"id": 7, **BELL, "version": 2}
        assert read.headers["ETag"] == written.headers["ETag"]
    assert one.row(7).version == 1


def test_the_drain_brings_every_version_into_the_database(redis: RedisServer, stocked_url: str) -> None:
    """Five writes of one product and one of another: rows at their last versions, an audit row for each write, and
    reads from the database from then on.
    """
    with open_shop(REDIS_URL=redis.url, DATABASE_URL=stocked_url, **BEHIND) as shop:
        for price in range(5):
            shop.send("PATCH", "/api/products/7", {"price": price}, Idempotency_Key=f"k{price}")
        shop.send("DELETE", "/api/products/8")
        made = shop.send("POST", "/api/products", BELL).get_json()
        assert (made["id"], made["version"]) == (1001, 1)
        assert drained(shop) == 7
        assert drained(shop) == 0
        rows = {product_id: shop.row(product_id) for product_id in (7, 8, 1001)}
        assert {product_id: (row.version, row.deleted) for product_id, row in rows.items()} == {
            7: (6, False),
            8: (2, True),
            1001: (1, False),
        }
        assert [row.version for row in shop.audit(7)] == [1, 2, 3, 4, 5, 6]
        assert [row.operation_id for row in shop.audit(7)][1:] == [f"k{price}" for price in range(5)]
        read = shop.get("/api/products/7")
        assert (read.get_json()["price"], read.get_json()["version"]) == (4.0, 6)
        assert read.headers["Cache-Status"].startswith("tocsin-l2;fwd=uri-miss")
        assert shop.get("/api/products/8").get_json()["version"] == 2


def test_a_write_during_the_drain_stays_dirty(behind: Shop) -> None:
    """What was written after the drain looked is not unpinned by it, and reaches the database with the next."""
    behind.put(7)
    (operation,) = behind.worker.cache.pending(10)
    behind.send("PATCH", "/api/products/7", {"price": 3})
    behind.worker.cache.drained(operation)
    assert behind.get("/api/products/7").get_json()["version"] == 3
    drained(behind)
    assert behind.row(7).version == 3


def test_an_operation_that_is_delivered_twice_takes_effect_once(behind: Shop) -> None:
    """The drain dies after its commit: the next finds the rows written, writes none, and clears the journal."""
    behind.put(7)

    class Killed(BaseException):
        """The drain's process ends here."""

    def die(*_: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cache, "drained", die)
        with pytest.raises(Killed):
            drained(behind)
    assert behind.row(7).version == 2
    assert drained(behind) == 1
    assert behind.row(7).version == 2
    assert [row.version for row in behind.audit(7)] == [1, 2]


def test_a_busy_database_only_puts_the_drain_off(
    open_here: OpenShop, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What can't be written now stays in the journal, and is read from Redis until it is."""
    monkeypatch.setattr("catalog.database.BUSY_WITHIN_S", 0.1)
    shop = open_here(**BEHIND)
    shop.put(7)
    with writer_in_the_way(sqlite_url):
        assert drained(shop) == 0
    assert shop.get("/api/products/7").get_json()["version"] == 2
    assert drained(shop) == 1


def test_an_acknowledged_product_outlives_its_reserved_row(behind: Shop) -> None:
    """A new product whose reserved row is gone (the database was restored) is written all the same."""
    behind.send("POST", "/api/products", BELL)
    with behind.worker.database.writing() as session:
        session.execute(delete(ProductRow).where(ProductRow.id == 1001))
    assert drained(behind) == 1
    assert behind.row(1001).name == BELL["name"]


def test_if_match_holds_against_what_is_dirty(behind: Shop) -> None:
    """The condition is checked by the step that gives the version, not against the row."""
    old = behind.get("/api/products/7").headers["ETag"]
    new = behind.put(7).headers["ETag"]
    assert behind.put(7, If_Match=old).status_code == 412
    assert behind.put(7, If_Match=new).status_code == 200


def test_a_worker_that_has_not_heard_yet_neither_refuses_nor_loses(open_here: OpenShop) -> None:
    """A worker whose L1 holds the old version takes an If-Match of the new one, and its PATCH keeps the other's."""
    one, late = open_here(**BEHIND), open_here(**BEHIND | {"TOCSIN_STRATEGY": "ttl", "TOCSIN_L1_TTL_S": "60"})
    late.get("/api/products/7")
    new = one.send("PATCH", "/api/products/7", {"price": 3}).headers["ETag"]
    changed = late.send("PATCH", "/api/products/7", {"name": "renamed"}, If_Match=new)
    assert changed.status_code == 200
    assert (changed.get_json()["price"], changed.get_json()["version"]) == (3.0, 3)


def test_a_deleted_product_is_gone_before_the_database_knows(behind: Shop) -> None:
    """404 with the tombstone's version, from reads and writes."""
    assert behind.send("DELETE", "/api/products/7").get_json()["version"] == 2
    for answer in (behind.get("/api/products/7"), behind.put(7)):
        assert (answer.status_code, answer.get_json()["version"]) == (404, 2)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/products", BELL),
        ("PATCH", "/api/products/7", {"price": 5}),
        ("DELETE", "/api/products/7", None),
    ],
)
def test_a_repeated_request_is_journalled_once(behind: Shop, method: str, path: str, body: object) -> None:
    """The same key answers the same, before the drain and after it; another request with it is 422."""
    first = behind.send(method, path, body, Idempotency_Key="k")
    for _ in range(2):
        again = behind.send(method, path, body, Idempotency_Key="k")
        assert (again.status_code, again.data) == (first.status_code, first.data)
        assert again.headers["Idempotency-Replayed"] == "true"
        drained(behind)
    assert behind.put(8, Idempotency_Key="k").status_code == 422
    kinds = [row for row in behind.rows(AuditRow) if row.node == "node-1"]
    assert len(kinds) == 1


def test_racing_writes_lose_no_version(behind: Shop) -> None:
    """Six PATCHes at once, of different members, all take effect, under consecutive versions."""
    bodies = [{"price": 5}, {"name": "n"}, {"description": "d"}] * 2

    def send(body: object) -> int:
        return behind.application.test_client().patch("/api/products/7", json=body).get_json()["version"]  # type: ignore[no-any-return]

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(send, bodies)) == [2, 3, 4, 5, 6, 7]
    product = behind.get("/api/products/7").get_json()
    assert (product["price"], product["name"], product["description"]) == (5.0, "n", "d")
    drained(behind)
    assert [row.version for row in behind.audit(7)] == list(range(1, 8))


def test_without_redis_a_write_is_refused(open_here: OpenShop) -> None:
    """503, not applied: committing it to the database could give a version out twice."""
    shop = open_here(**BEHIND, REDIS_URL=NOBODY)
    answer = shop.put(7)
    assert (answer.status_code, answer.get_json()["outcome"]) == (503, "not-applied")
    assert shop.row(7).version == 1


def test_a_redis_that_falls_silent_leaves_the_outcome_open(behind: Shop, redis: RedisServer) -> None:
    """The write was sent and no answer came: it may have happened, and the answer says so."""
    behind.get("/api/products/7")
    look = BehindWrites._look

    def look_and_fall_silent(writes: BehindWrites, product_id: int) -> Product:
        seen = look(writes, product_id)
        redis.pause()
        return seen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BehindWrites, "_look", look_and_fall_silent)
        answer = behind.put(7)
    assert (answer.status_code, answer.get_json()["outcome"]) == (500, "unknown")


def test_the_reserved_row_is_needed(open_here: OpenShop) -> None:
    """A new product needs the database for its id: without it nothing is journalled."""
    shop = open_here(**BEHIND, DATABASE_URL="sqlite:////nowhere/at/all/shop.db")
    answer = shop.send("POST", "/api/products", BELL)
    assert (answer.status_code, answer.get_json()["outcome"]) == (503, "not-applied")
    with pytest.raises(DatabaseUnavailable):
        shop.row(1)
