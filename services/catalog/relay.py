"""Relay: makes known what a writer committed but could not, or did not live to, make known itself.

    outbox rows that nobody acknowledged ── seen 200 ms ago already ──▶ finish again ──▶ acknowledged

What always holds:
- No lock and no claim: a relay that stops while it holds one would silence all others (PROTOCOL.md). Two relays that
  finish the same row cost one needless invalidation.
- No transaction is open during a call to Redis.
- A row's age is taken from when this relay first saw it, by its own monotonic clock: the clocks of the nodes that
  wrote the rows need not agree with anybody's.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy import delete, select, update
from tocsin import Cache, Names

from catalog.database import Database
from catalog.models import IdempotencyRow, OutboxRow

GRACE_S = 0.2  # a writer that is alive acknowledges its own row sooner
BATCH = 200
KEEP_S = 24 * 3600.0
log = structlog.get_logger()


class Relay:
    """One process's relay; remembers which rows it has seen waiting."""

    def __init__(self, database: Database, cache: Cache, *, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._cache = cache
        self._monotonic = monotonic
        self._first_seen: dict[int, float] = {}

    def turn(self) -> int:
        """Finish what waits for longer than 200 ms; return how many rows were acknowledged.

        Raises `DatabaseUnavailable`. Redis out of reach ends the turn early, and the rows wait on.
        """
        waiting = self._waiting()
        now = self._monotonic()
        self._first_seen = {each: self._first_seen.get(each, now) for each in waiting}
        finished = []
        for row_id, names in waiting.items():
            if now - self._first_seen[row_id] < GRACE_S:
                continue
            receipt = self._cache.finish_again(names)
            if receipt.pending:
                log.warning("relay put off", waiting=len(waiting), reason="redis-unreachable")
                break
            finished.append(row_id)
            log.info("relayed", key=",".join(names.keys), sequence=receipt.sequence)
        if finished:
            with self._database.writing() as session:
                session.execute(update(OutboxRow).where(OutboxRow.id.in_(finished)).values(acknowledged=True))
        return len(finished)

    def _waiting(self) -> dict[int, Names]:
        with self._database.reading() as session:
            rows = session.scalars(
                select(OutboxRow).where(OutboxRow.acknowledged.is_(False)).order_by(OutboxRow.id).limit(BATCH)
            )
            return {row.id: Names(tuple(row.keys), tuple(row.tags), tuple(row.namespaces)) for row in rows}


def forget(database: Database, *, now: float) -> None:
    """Remove what nobody needs any more: acknowledged outbox rows and retry keys that are a day old.

    `now` is in Unix seconds, as `created_at` is. Raises `DatabaseUnavailable` or `OutcomeUnknown`; repeat it later.
    """
    with database.writing() as session:
        session.execute(delete(OutboxRow).where(OutboxRow.acknowledged.is_(True), OutboxRow.created_at < now - KEEP_S))
        session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < now - KEEP_S))
