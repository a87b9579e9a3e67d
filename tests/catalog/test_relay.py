"""Relay: what a writer committed and did not make known is made known, whoever died and whatever was away."""

from __future__ import annotations

from itertools import count

from catalog.models import IdempotencyRow, OutboxRow
from catalog.relay import KEEP_S, Relay, forget
from tocsin import Cache

from tests.catalog.conftest import OpenShop
from tests.catalog.shop import NOBODY, Shop


def relay_of(shop: Shop, *moments: float) -> Relay:
    """A relay whose clock shows these moments, one for each turn."""
    shown = iter(moments)
    return Relay(shop.worker.database, shop.worker.cache, monotonic=lambda: next(shown))


def test_a_pending_write_is_made_known(open_here: OpenShop) -> None:
    """Cut off from Redis a node commits; the relay, which is not cut off, ends it, and the other worker sees it."""
    cut, other = open_here(REDIS_URL=NOBODY), open_here(TOCSIN_STRATEGY="l2-only")
    assert other.get("/api/products/7").get_json()["version"] == 1
    assert cut.put(7).headers["Tocsin-Pending"] == "true"
    assert other.get("/api/products/7").get_json()["version"] == 1
    relay = relay_of(other, 100.0, 100.3)
    assert [relay.turn(), relay.turn()] == [0, 1]
    assert other.get("/api/products/7").get_json()["version"] == 2
    assert [row.acknowledged for row in other.rows(OutboxRow)] == [True]


def test_a_row_is_left_to_its_writer_for_a_while(open_here: OpenShop) -> None:
    """Younger than 200 ms, by the relay's own clock, a row is its writer's business, whatever time its writer wrote."""
    cut, other = open_here(REDIS_URL=NOBODY), open_here()
    cut.put(7)
    with other.worker.database.writing() as session:
        row = session.get(OutboxRow, 1)
        assert row is not None
        row.created_at = 0.0  # a writer whose clock is decades behind
    relay = relay_of(other, 100.0, 100.1, 100.19, 100.21)
    assert [relay.turn() for _ in range(4)] == [0, 0, 0, 1]


def test_without_redis_the_rows_wait_on(open_here: OpenShop) -> None:
    """A turn that can't reach Redis acknowledges nothing and raises nothing."""
    cut = open_here(REDIS_URL=NOBODY)
    cut.put(7)
    relay = relay_of(cut, *(float(moment) for moment in range(3)))
    assert [relay.turn() for _ in range(3)] == [0, 0, 0]
    assert [row.acknowledged for row in cut.rows(OutboxRow)] == [False]


def test_no_transaction_is_open_while_redis_is_asked(open_here: OpenShop, sqlite_url: str) -> None:
    """While the relay talks to Redis another writer gets SQLite's one write lock at once."""
    cut, other = open_here(REDIS_URL=NOBODY), open_here()
    cut.put(7)
    wrote: list[int] = []
    finish_again = Cache.finish_again

    class Watching:
        def finish_again(self, names: object) -> object:
            wrote.append(other.put(8).status_code)
            return finish_again(other.worker.cache, names)  # type: ignore[arg-type]

    relay = Relay(other.worker.database, Watching(), monotonic=(100.0 * moment for moment in count()).__next__)  # type: ignore[arg-type]
    assert [relay.turn(), relay.turn()] == [0, 1]
    assert wrote == [200]


def test_two_relays_do_not_disturb_each_other(open_here: OpenShop) -> None:
    """Both finish the same row; it is acknowledged, and nothing fails."""
    cut, other = open_here(REDIS_URL=NOBODY), open_here()
    cut.put(7)
    relays = [relay_of(other, 0.0, 1.0), relay_of(other, 0.0, 1.0)]
    assert [relay.turn() for relay in relays] == [0, 0]
    assert sum(relay.turn() for relay in relays) == 1
    assert [row.acknowledged for row in other.rows(OutboxRow)] == [True]


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
