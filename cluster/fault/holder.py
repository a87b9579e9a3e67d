"""`python -m cluster.fault.holder HOLD_MS REST_MS FOR_S`: holds the lock that writers of a database need.

    take ── hold_ms ── let go ── rest_ms ── take …      for FOR_S seconds at most; a HOLD_MS of 0: all the time

The database is that of HOLDER_URL. It says `held` when it first has the lock. Killed, it lets go: the lock belongs to
its connection.
"""

from __future__ import annotations

import os
import sys
import time

from sqlalchemy import Connection, Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from cluster.until import pause_s

DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}
TAKE_WITHIN_S = 10.0


def engine_of(url: str) -> Engine:
    """An engine for a `DATABASE_URL` as in `status`; every connection is a new one."""
    parsed = make_url(url)
    parsed = parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername))
    options = {"timeout": 0, "isolation_level": None} if parsed.drivername == "sqlite" else {}
    return create_engine(parsed, poolclass=NullPool, connect_args=options)


def take(connection: Connection, *, wait: bool) -> None:
    """Take the lock, until the connection is closed. Raises OperationalError when it is taken and `wait` is not set."""
    kind = connection.engine.dialect.name
    if kind == "sqlite":
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {round(TAKE_WITHIN_S * 1000) if wait else 0}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    elif kind == "postgresql":
        connection.execute(text("LOCK TABLE products IN ACCESS EXCLUSIVE MODE" + ("" if wait else " NOWAIT")))
    else:
        connection.execute(text(f"SET SESSION lock_wait_timeout = {round(TAKE_WITHIN_S) if wait else 0}"))
        connection.execute(text("LOCK TABLES products WRITE"))


def hold(url: str, *, hold_s: float, rest_s: float, for_s: float) -> None:
    """Hold the lock, and let go in between, for so many seconds."""
    ends = time.monotonic() + for_s
    engine = engine_of(url)
    while time.monotonic() < ends:
        try:
            with engine.connect() as connection:
                take(connection, wait=True)
                print("held", flush=True)
                pause_s(hold_s or max(0.0, ends - time.monotonic()))
                connection.invalidate()
        except OperationalError as problem:
            print(f"not held: {problem.orig}", flush=True)
        pause_s(rest_s)


if __name__ == "__main__":
    hold_ms, rest_ms, for_s = map(float, sys.argv[1:])
    hold(os.environ["HOLDER_URL"], hold_s=hold_ms / 1000, rest_s=rest_ms / 1000, for_s=for_s)
