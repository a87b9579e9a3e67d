"""Database: one pool of connections per process, short transactions, and a bound on every wait.

    load after a miss ── reading() ──▶ BEGIN … SELECT … (no row is locked)
    a write ──────────── writing() ──▶ BEGIN IMMEDIATE or FOR UPDATE … COMMIT

What always holds:
- Nothing is opened when a `Database` is made, and none of its connections crosses a fork.
- A read transaction begins inside `reading()`, so after the cache lookup that made it necessary: a snapshot taken
  before the lookup could give an old row to a valid fill (hazard 38). READ COMMITTED for the same reason.
- Every error says whether the write happened: `DatabaseUnavailable` means that it did not, `OutcomeUnknown` that
  COMMIT was sent and no answer came back.
- A database that is cut off costs a thread a few seconds at most, once; while the breaker is open it costs nothing.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from catalog.errors import DatabaseUnavailable, OutcomeUnknown
from catalog.fence import FENCES, MARIADB_IDLE_S
from catalog.models import ProductRow

POOL_SIZE = 4
POOL_OVERFLOW = 4
POOL_WITHIN_S = 1.0
CONNECT_WITHIN_S = 1
ANSWER_WITHIN_S = 2.0
BUSY_WITHIN_S = 5.0  # SQLite: how long one writer waits for another process's
RETRY_AFTER_S = 0.5
_BEGIN, _WRITE = "sqlite_begin", "BEGIN IMMEDIATE"

# What the server itself enforces, below our own bound, so that no lock outlives the writer who waits for it:
# a worker that is paused in a transaction must not hold its row for as long as it sleeps.
_POSTGRESQL = (
    "-c statement_timeout=1500 -c lock_timeout=1500 -c idle_in_transaction_session_timeout=3000"
    " -c tocsin.announces=on"  # what these connections write is announced: see external_writers.sql
)
_MARIADB = (
    "SET SESSION innodb_lock_wait_timeout = 2"
    " /*M!100300 , SESSION max_statement_time = 1.5, SESSION idle_transaction_timeout = 3"
    f", SESSION idle_write_transaction_timeout = {MARIADB_IDLE_S} */"
)


_INNODB_HITS = """
    SELECT max(if(variable_name = 'INNODB_BUFFER_POOL_READ_REQUESTS', variable_value, 0))
         - max(if(variable_name = 'INNODB_BUFFER_POOL_READS', variable_value, 0)),
           max(if(variable_name = 'INNODB_BUFFER_POOL_READ_REQUESTS', variable_value, 0))
    FROM {}.global_status WHERE variable_name LIKE 'INNODB_BUFFER_POOL_READ%'
"""
_OWN_HITS = {
    "postgresql": "SELECT blks_hit, blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()",
    "mariadb": _INNODB_HITS.format("information_schema"),
    "mysql": _INNODB_HITS.format("performance_schema"),
}


class Database:
    """A database as the catalogue uses it. Opens its first connection when first used, in the process that uses it."""

    def __init__(self, url: URL, *, now: Callable[[], float] = time.monotonic) -> None:
        self.kind = url.get_backend_name()
        self._fence = FENCES[self.kind]
        self._engine = _engine(url)
        self._writers = self._engine.execution_options(**{_BEGIN: _WRITE})
        self._now = now
        self._closed_until = 0.0  # the breaker: until then nobody asks the database
        self._probe_right = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction for reading. Raises `DatabaseUnavailable`, within seconds."""
        with self._guarded(), Session(self._engine, autoflush=False) as session:
            yield session

    @contextmanager
    def writing(self, left_s: Callable[[], float] | None = None) -> Iterator[Session]:
        """A transaction that commits when the block ends and rolls back when it raises.

        `left_s` says for how many seconds a commit may still take effect; see `tocsin.writing.Write.left_s`. Raises
        `DatabaseUnavailable` (not written), `OutcomeUnknown` (perhaps written), and passes `IntegrityError` of a
        statement on (not written).
        """
        with self._guarded(), Session(self._writers, expire_on_commit=False) as session:
            yield session
            session.flush()  # whatever a statement may refuse is refused before COMMIT, where it is certain
            if left_s is not None:
                self._fence.insist(session, left_s)
            try:
                session.commit()
            except DBAPIError as error:
                raise OutcomeUnknown(_plain(error)) from error

    def probe(self) -> None:
        """Ask for one product. Raises `DatabaseUnavailable`, also where there are no tables yet."""
        with self.reading() as session:
            try:
                found = session.scalar(select(ProductRow.id).limit(1))
            except ProgrammingError as error:
                raise DatabaseUnavailable("the tables are missing: run `python -m catalog init-db`") from error
        if found is None:
            raise DatabaseUnavailable("the tables are empty: run `python -m catalog init-db`")

    def own_hit_ratio(self) -> float | None:
        """Return which part of the pages it asked for the server found in its own memory; None where none is known.

        PostgreSQL counts them for this database, InnoDB for the server. Raises `DatabaseUnavailable`.
        """
        if (question := _OWN_HITS.get(self.kind)) is None:
            return None
        with self.reading() as session:
            hits, asked = session.execute(text(question)).one()
        return float(hits) / float(asked) if asked else None

    def close(self) -> None:
        """Close the idle connections; those in use are closed as they are given back."""
        self._engine.dispose()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        # Without the breaker every thread of a worker would sit out the connect timeout, request after request, and
        # the values that the cache holds could not be served either.
        probing = False
        if self._now() < self._closed_until:
            raise DatabaseUnavailable("it could not be reached a moment ago")
        if self._closed_until and not (probing := self._probe_right.acquire(blocking=False)):
            raise DatabaseUnavailable("it could not be reached a moment ago, and is being tried")
        cut = False
        try:
            yield
        except (IntegrityError, ProgrammingError):
            raise
        except PoolTimeoutError as error:
            raise DatabaseUnavailable(f"no connection was free within {POOL_WITHIN_S:g} s") from error
        except DBAPIError as error:
            cut = error.connection_invalidated or error.statement is None
            raise DatabaseUnavailable(_plain(error)) from error
        finally:
            self._closed_until = self._now() + RETRY_AFTER_S if cut else 0.0
            if probing:
                self._probe_right.release()


def _engine(url: URL) -> Engine:
    backend = url.get_backend_name()
    pool: dict[str, Any] = {"pool_size": POOL_SIZE, "max_overflow": POOL_OVERFLOW, "pool_timeout": POOL_WITHIN_S}
    if backend == "sqlite":
        # Autocommit in the driver, because it would begin its transactions DEFERRED, and a reader that turns writer
        # in the middle of one is refused at once when another process wrote in between, however long it would wait.
        engine = create_engine(url, connect_args={"timeout": BUSY_WITHIN_S, "isolation_level": None}, **pool)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    pool |= {"pool_pre_ping": True, "isolation_level": "READ COMMITTED"}
    if backend == "postgresql":
        from catalog.postgresql import connect_bounded

        engine = create_engine(url, connect_args={"connect_timeout": CONNECT_WITHIN_S, "options": _POSTGRESQL}, **pool)
        event.listen(engine, "do_connect", connect_bounded)
        return engine
    bounds = {"connect_timeout": CONNECT_WITHIN_S, "read_timeout": ANSWER_WITHIN_S, "write_timeout": ANSWER_WITHIN_S}
    return create_engine(url, connect_args={**bounds, "init_command": _MARIADB, "charset": "utf8mb4"}, **pool)


def engine_for_setup(url: URL, *, within_s: int) -> Engine:
    """An engine without a pool or short bounds, for creating and filling tables; waits `within_s` for a second one."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url, poolclass=NullPool)
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": within_s, "isolation_level": None})
    event.listen(engine, "begin", _begin_sqlite)
    return engine.execution_options(**{_BEGIN: _WRITE})


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # NORMAL: in WAL mode a commit survives the death of any process, and of all; only a power cut may undo the last.
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get(_BEGIN, "BEGIN"))


def _plain(error: SQLAlchemyError) -> str:
    """The driver's own first line: SQLAlchemy adds the statement and a link, which are nobody's business."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0] or type(cause).__name__
