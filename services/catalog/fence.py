"""Fence: no commit takes effect after its writer's deadline, whoever is stopped for however long.

    announce ─ … ─ row, audit, outbox rows ─▶ insist: at most IDLE between two statements from here on, says the server
                                              │ enough time left? ─▶ COMMIT     within IDLE, or the server ended us
                                              └ no ─▶ rolled back, nothing was written

A look at the clock alone would not do, because a process may be stopped between the look and its COMMIT:

    writer:  announced … 2.9 s left, SIGSTOP ............................... SIGCONT, COMMIT     after its deadline
    reader:                                   deadline over, loads the old row and keeps it

What always holds: the server bounds the time between its answer to `insist` and COMMIT by its own timer, and the look
comes after that answer, on a clock that goes on while the machine sleeps. So no wall clock is compared, and a commit
takes effect within `commit_within_s` of the look or never. PostgreSQL 17 has a `transaction_timeout` for the whole of a
transaction; this bound holds on 9.6 to 17 alike, and counts from before the announcement, not from BEGIN.

SQLite runs within the writer's own process and nobody can end a transaction for it: there a writer that is stopped
between the look and COMMIT commits late, which docs/contract.md names. MySQL has no such timer either.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.orm import Session

from catalog.errors import DatabaseUnavailable

POSTGRESQL_IDLE_S = 0.25
MARIADB_IDLE_S = 1  # it counts whole seconds
COMMITTING_S = 0.25  # for the COMMIT itself, once the server has it


class Fence:
    """One kind of database. `idle` makes the server watch; None where it does so from the first row written on."""

    def __init__(self, *, commit_within_s: float, idle: str | None = None) -> None:
        self.commit_within_s = commit_within_s
        self._idle = None if idle is None else text(idle)

    def insist(self, session: Session, left_s: Callable[[], float]) -> None:
        """Let the server watch from now on, and see that a commit comes in time.

        Raises `DatabaseUnavailable` if it might not; the caller then rolls back.
        """
        if math.isinf(left_s()):
            return  # nothing was announced
        if self._idle is not None:
            session.execute(self._idle)
        if (left := left_s()) < self.commit_within_s:
            raise DatabaseUnavailable(
                f"the write was under way for too long: {max(left, 0):.2f} s before others stop waiting for it, and a"
                f" commit may take {self.commit_within_s:g} s"
            )


FENCES = {
    "sqlite": Fence(commit_within_s=COMMITTING_S),
    # `idle_write_transaction_timeout`, which is set for each connection; a mysql:// URL may lead to a MariaDB
    "mysql": Fence(commit_within_s=MARIADB_IDLE_S + COMMITTING_S),
    "mariadb": Fence(commit_within_s=MARIADB_IDLE_S + COMMITTING_S),
    "postgresql": Fence(
        commit_within_s=POSTGRESQL_IDLE_S + COMMITTING_S,
        idle=f"SET LOCAL idle_in_transaction_session_timeout = {round(POSTGRESQL_IDLE_S * 1000)}",
    ),
}
