"""A shop for a test: the Flask application in this process, on a database and a Redis that are real."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from catalog.models import AuditRow, IdempotencyRow, OutboxRow, ProductRow
from catalog.service import Worker, service_of
from catalog.settings import Settings
from catalog.web.application import create_application
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

SECRET = "a-secret-of-the-tests"
NOBODY = "redis://127.0.0.1:1/0"  # no server listens there: a Redis that refuses
BELL = {"name": "Brass hand bell", "price": 24.5, "category": "kitchen", "description": "Rings for everybody."}
Row = ProductRow | AuditRow | OutboxRow | IdempotencyRow


def environment(**changes: str) -> dict[str, str]:
    """A complete environment of the service, with changes."""
    complete = {
        "CATALOG_NODE": "node-1",
        "CATALOG_SECRET": SECRET,
        "DATABASE_URL": "sqlite:////nowhere/shop.db",
        "REDIS_URL": NOBODY,
    }
    return complete | changes


@dataclass(frozen=True)
class Shop:
    """One worker, and a client that speaks to it without a network."""

    application: Flask
    worker: Worker
    client: FlaskClient

    def get(self, path: str, **headers: str) -> TestResponse:
        """GET with headers whose names are spelled with underscores."""
        return self.client.get(path, headers=_spelled(headers))

    def send(self, method: str, path: str, body: object | None = None, **headers: str) -> TestResponse:
        """A request with a JSON body, or with none."""
        content = None if body is None else json.dumps(body)
        return self.client.open(
            path, method=method, data=content, content_type=content and "application/json", headers=_spelled(headers)
        )

    def put(self, product_id: int, **headers: str) -> TestResponse:
        """PUT the bell in place of a product."""
        return self.send("PUT", f"/api/products/{product_id}", BELL, **headers)

    def rows(self, kind: type[Any]) -> list[Any]:
        """Every row of a table, in the order of its primary key."""
        with self.worker.database.reading() as session:
            rows = list(session.scalars(select(kind).order_by(*kind.__table__.primary_key)))
            session.expunge_all()
            return rows

    def row(self, product_id: int) -> ProductRow:
        """One product's row, tombstones included."""
        row: ProductRow = next(row for row in self.rows(ProductRow) if row.id == product_id)
        return row

    def audit(self, product_id: int) -> list[AuditRow]:
        """The audit rows of one product."""
        return [row for row in self.rows(AuditRow) if row.key == f"product:{product_id}"]


@contextlib.contextmanager
def open_shop(**changes: str) -> Iterator[Shop]:
    """A worker named node-1/worker-1 with this environment; it is stopped afterwards."""
    application = create_application(Settings.parse(environment(**changes)))
    service = service_of(application)
    worker = service.start("node-1/worker-1")
    try:
        yield Shop(application, worker, application.test_client())
    finally:
        service.stop()


@contextlib.contextmanager
def writer_in_the_way(url: str) -> Iterator[None]:
    """Another process's write transaction on a SQLite file, for as long as the block lasts."""
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def _spelled(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
