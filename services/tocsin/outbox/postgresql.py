"""PostgreSQL, by psycopg: a connection whose every wait ends.

The server's own timeouts end a slow statement, but say nothing to a client whose network is cut: libpq waits for ever
for an answer that was swallowed, and TCP's own timeout does not run while a proxy in between acknowledges the bytes.
psycopg can bound a wait; here it always does. What always holds: after a wait that ended without an answer the
connection is closed, so that no late answer is taken for the next statement's.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import psycopg
from psycopg.rows import TupleRow

from tocsin.outbox.table import Connection, Dialect

if TYPE_CHECKING:
    from psycopg.abc import PQGen

CONNECT_WITHIN_S = 2
ANSWER_WITHIN_S = 2.0
_BOUNDS = "-c statement_timeout=1500 -c lock_timeout=1500"
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


def dialect(url: str) -> Dialect:
    """Return how to speak to `postgresql://user:password@host:5432/name`, as libpq reads it."""
    address = urlsplit(url)._replace(scheme="postgresql").geturl()

    def connect() -> Connection:
        return BoundedConnection.connect(
            address, autocommit=True, connect_timeout=CONNECT_WITHIN_S, options=_BOUNDS, prepare_threshold=None
        )

    return Dialect(connect, (psycopg.Error, OSError), quote='"', mark="%s")
