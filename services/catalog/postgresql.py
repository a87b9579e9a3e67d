"""PostgreSQL: the library's bounded connection, as SQLAlchemy opens it."""

from __future__ import annotations

from typing import Any

from tocsin.outbox.postgresql import BoundedConnection


def connect_bounded(
    _dialect: object, _record: object, positional: list[Any], named: dict[str, Any]
) -> BoundedConnection:
    """Connect for SQLAlchemy (its `do_connect` event). psycopg itself bounds this wait, to no less than two seconds."""
    return BoundedConnection.connect(*positional, **named)
