"""Seed: the shop's first thousand products, the same on every machine, every database and every Python.

    stock.toml (what is for sale) ── products() ──▶ ids 1…1000 at version 1 ── initialise() ──▶ tables

What always holds: the catalogue is arithmetic over `stock.toml`, without chance or clock, so its hash can be pinned by
a test. `initialise` may run twice, also at once, and changes nothing in a database that has products.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, insert, select, text

from catalog.database import engine_for_setup
from catalog.models import AuditRow, ProductRow, Table
from catalog.product import Product, key_of

STOCK = Path(__file__).with_name("stock.toml")
EXTERNAL_WRITERS = Path(__file__).with_name("external_writers.sql")
LOCK = 7_065_783  # any number that nobody else uses as an advisory lock in this database
SECOND_SEEDER_WITHIN_S = 30


def products() -> Iterator[Product]:
    """Yield the seeded products in the order of their ids.

    Neighbouring ids belong to different categories, so that the first page of the shop shows all of them.
    """
    categories: list[dict[str, Any]] = tomllib.loads(STOCK.read_text(encoding="utf-8"))["category"]
    per_category = sum(len(categories[0]["makers"]) * len(article["variants"]) for article in categories[0]["articles"])
    for number in range(len(categories) * per_category):
        nth, category = divmod(number, len(categories))
        yield _product(categories[category], nth, product_id=number + 1)


def initialise(url: URL) -> int:
    """Create the tables and, where there are no products, the seeded ones; return how many were added.

    SQLAlchemy's errors pass through: the caller is a person at a terminal.
    """
    engine = engine_for_setup(url, within_s=SECOND_SEEDER_WITHIN_S)
    with engine.connect() as connection:
        if url.get_backend_name() == "sqlite":
            _write_ahead(connection)
        _keep_a_second_seeder_out(connection)
        with connection.begin():
            Table.metadata.create_all(connection)
            if connection.dialect.name == "postgresql":
                _watch_external_writers(connection)
            if connection.scalar(select(ProductRow.id).limit(1)) is not None:
                return 0
            return _fill(connection)


def _product(category: dict[str, Any], nth: int, *, product_id: int) -> Product:
    """The nth product of a category: articles first, then their variants, then the second maker."""
    articles = category["articles"]
    article = articles[nth % len(articles)]
    step, maker = nth // len(articles) % len(article["variants"]), nth // (len(articles) * len(article["variants"]))
    made_by = category["makers"][maker]
    cents = (article["price"] + step * article["step"]) * made_by["percent"] // 100
    return Product(
        id=product_id,
        name=f"{made_by['name']} {article['name']}, {article['variants'][step]}",
        price_cents=cents - cents % 10,
        category=category["name"],
        description=f"{article['says']} {made_by['says']}",
        version=1,
    )


def _fill(connection: Connection) -> int:
    seeded = list(products())
    connection.execute(insert(ProductRow), [each.row() for each in seeded])
    connection.execute(
        insert(AuditRow),
        [
            {
                "key": key_of(each.id),
                "version": 1,
                "operation_id": f"seed-{each.id}",
                "node": "init-db",
                "kind": "create",
            }
            for each in seeded
        ],
    )
    if connection.dialect.name == "postgresql":  # the others continue after the largest id by themselves
        connection.execute(text("SELECT setval(pg_get_serial_sequence('products', 'id'), max(id)) FROM products"))
    return len(seeded)


def _watch_external_writers(connection: Connection) -> None:
    """Install the triggers for writers that are not ours; this connection is."""
    connection.execute(text("SELECT set_config('tocsin.announces', 'on', false)"))
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.execute(EXTERNAL_WRITERS.read_bytes())


def _write_ahead(connection: Connection) -> None:
    """Write SQLite's WAL mode into the file, once and for all: readers then never wait for a writer.

    Two processes that do so at once may collide; the loser's wish has then been fulfilled by the winner.
    """
    with contextlib.suppress(sqlite3.OperationalError):
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.execute("PRAGMA journal_mode = WAL")


def _keep_a_second_seeder_out(connection: Connection) -> None:
    """Take a lock that lasts until this connection is closed.

    Otherwise, on PostgreSQL and MariaDB, where CREATE TABLE IF NOT EXISTS and the question that follows are not atomic:
        A: tables?  none .. create ......... any products? none .. insert 1…1000
        B:         tables?  none .. create (fails: duplicate), or any products? none .. insert 1…1000 (fails)
    SQLite needs nothing: BEGIN IMMEDIATE already holds the whole file.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT set_config('lock_timeout', :ms, false)"), {"ms": f"{SECOND_SEEDER_WITHIN_S}s"})
        connection.execute(text("SELECT pg_advisory_lock(:lock)"), {"lock": LOCK})
    elif connection.dialect.name in ("mysql", "mariadb"):
        lock = {"lock": f"catalog-{LOCK}", "seconds": SECOND_SEEDER_WITHIN_S}
        if connection.scalar(text("SELECT GET_LOCK(:lock, :seconds)"), lock) != 1:
            raise TimeoutError(f"another init-db held this database for {SECOND_SEEDER_WITHIN_S} s: try again")
    connection.commit()
