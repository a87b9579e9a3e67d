"""PostgreSQL: a connection whose every wait ends.

The server's own timeouts end a slow statement, but say nothing to a client whose network is cut: libpq waits for ever
for an answer that was swallowed, and TCP's own timeout does not run while a proxy in between acknowledges the bytes.
psycopg can bound a wait; here it always does. What always holds: after a wait that ended without an answer the
connection is closed, so that the pool throws it away and no late answer is taken for the next statement's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, TypeVar

import psycopg
from psycopg.rows import TupleRow

if TYPE_CHECKING:
    from psycopg.abc import PQGen

ANSWER_WITHIN_S = 2.0
T = TypeVar("T")


class BoundedConnection(psycopg.Connection[TupleRow]):
    """A connection that gives up on a server that was silent for two seconds."""

    def wait(self, gen: PQGen[T], interval: float = 0.1, timeout: float | None = ANSWER_WITHIN_S) -> T:
        """Run one exchange with the server. Raises `psycopg.OperationalError` when no answer came in time."""
        started = time.monotonic()
        try:
            return super().wait(gen, interval, timeout)
        except psycopg.OperationalError as error:
            if timeout is None or time.monotonic() - started < timeout:
                raise
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {timeout:g} s") from error


def connect_bounded(
    _dialect: object, _record: object, positional: list[Any], named: dict[str, Any]
) -> BoundedConnection:
    """Connect for SQLAlchemy (its `do_connect` event). psycopg itself bounds this wait, to no less than two seconds."""
    return BoundedConnection.connect(*positional, **named)
