"""External writers: a plain SQL statement of a foreign program reaches every node's caches (PostgreSQL)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from catalog.models import AuditRow, OutboxRow
from catalog.seed import initialise
from catalog.settings import database_url as parsed

from tests.catalog.conftest import QUICK
from tests.catalog.nodes import OpenNode, nodes
from tests.catalog.shop import Shop, open_shop
from tests.database_servers import DatabaseServer
from tests.redis_server import RedisServer
from tests.until import until


@pytest.fixture
def url(postgresql: DatabaseServer) -> str:
    """A stocked PostgreSQL."""
    url = postgresql.fresh_database()
    initialise(parsed({"DATABASE_URL": url}))
    return url


@pytest.fixture
def shop(redis: RedisServer, url: str) -> Iterator[Shop]:
    """A shop on it."""
    with open_shop(REDIS_URL=redis.url, DATABASE_URL=url, **QUICK) as shop:
        yield shop


@pytest.fixture
def open_node(redis: RedisServer, url: str, tmp_path: Path) -> Iterator[OpenNode]:
    """Opens nodes on it."""
    with nodes(redis.url, url, tmp_path) as opened:
        yield opened


def say(url: str, *statements: str) -> None:
    """Let a program that knows nothing of caches say these statements in one transaction."""
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def test_every_node_shows_what_an_external_writer_wrote(
    open_node: OpenNode, url: str, record_property: Callable[[str, object], None]
) -> None:
    """Two nodes hold the old row in L1 under leases of half a minute; both show the new one within moments."""
    holders = [open_node("node-2"), open_node("node-3")]
    for node in holders:
        until(lambda node=node: node.has_in_l1(b"1"), within_s=10, waiting_for="the old value in L1")  # type: ignore[misc]
    say(url, "UPDATE products SET price_cents = 4711 WHERE id = 7")
    written_s = time.monotonic()
    until(lambda: all(node.read()[0] == b"2" for node in holders), within_s=10, waiting_for="every node to show it")
    record_property("visible_after_ms", round((time.monotonic() - written_s) * 1000))


def test_an_external_write_is_versioned_and_audited_like_our_own(shop: Shop, url: str) -> None:
    """One version, one audit row, one outbox row, in the transaction of the write; the names are those of before and
    after; a rollback leaves none of it.
    """
    say(url, "UPDATE products SET category = 'moved' WHERE id = 7")
    assert shop.get("/api/products/7").get_json()["version"] == 2
    (external,) = (row for row in shop.audit(7) if row.version == 2)
    assert (external.node, external.kind) == ("external", "update")
    (told,) = shop.rows(OutboxRow)
    assert told.keys == ["product:7"]
    assert set(told.tags) > {"category:moved"}
    assert (len(told.tags), told.namespaces, told.acknowledged) == (2, ["products"], False)
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE products SET price_cents = 1 WHERE id = 8")
        connection.rollback()
    assert [row.version for row in shop.audit(8)] == [1]


def test_external_inserts_and_deletes_are_told_too(shop: Shop, url: str) -> None:
    """A new row starts at version 1; one that is really deleted is audited one version later; so is a tombstone."""
    say(url, "INSERT INTO products (name, price_cents, category, description) VALUES ('Bell', 100, 'toys', '')",
        "DELETE FROM products WHERE id = 9", "UPDATE products SET deleted = true WHERE id = 10")  # fmt: skip
    told = [(row.key, row.version, row.kind) for row in shop.rows(AuditRow) if row.node == "external"]
    assert told == [("product:1001", 1, "create"), ("product:9", 2, "delete"), ("product:10", 2, "delete")]
    assert [row.keys for row in shop.rows(OutboxRow)] == [["product:1001"], ["product:9"], ["product:10"]]
    assert shop.get("/api/products/9").status_code == 404


def test_our_own_writes_are_told_once(shop: Shop) -> None:
    """The triggers leave the catalogue's connections alone: one audit row and one outbox row for each write."""
    assert [shop.put(7).status_code, shop.send("DELETE", "/api/products/8").status_code] == [200, 200]
    assert [row.version for row in shop.audit(7)] == [1, 2]
    assert len(shop.rows(OutboxRow)) == 2
    assert shop.rows(OutboxRow)[0].acknowledged


def test_init_db_may_install_it_twice(shop: Shop, url: str) -> None:
    """And changes nothing else."""
    assert initialise(parsed({"DATABASE_URL": url})) == 0
    say(url, "UPDATE products SET price_cents = 4711 WHERE id = 7")
    assert len(shop.rows(OutboxRow)) == 1
