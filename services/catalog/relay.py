"""Relay: the flusher's part in making known what a writer could not; and the end of what nobody needs any more.

Under `sequenced` every node's agent relays the outbox (`tocsin.relay`), faster than this. The other strategies have no
agent, and there this is the only relay; two that meet cost one needless invalidation.
"""

from __future__ import annotations

import random
import time

import structlog
from sqlalchemy import delete
from tocsin import Cache, Names, Unavailable
from tocsin.errors import Happened
from tocsin.outbox.opening import outbox_at
from tocsin.position import Position
from tocsin.relay import Relay

from catalog.database import Database
from catalog.models import IdempotencyRow, OutboxRow

KEEP_S = 24 * 3600.0
log = structlog.get_logger()


def relay_of(cache: Cache) -> Relay:
    """Return a relay of the cache's own outbox, which finishes as the cache's strategy does. Opens nothing."""

    def finish(names: Names) -> Position | None:
        receipt = cache.finish_again(names)
        if receipt.pending:
            raise Unavailable("Redis does not answer", detail="redis-unreachable", happened=Happened.UNKNOWN)
        log.info("relayed", keys=len(names.keys), sequence=receipt.sequence)
        return receipt.watermark

    outbox = outbox_at(cache.settings.outbox_url)
    return Relay(outbox, finish, now=time.monotonic, chance=random.random, tell=log.warning)


def forget(database: Database, *, now: float) -> None:
    """Remove what nobody needs any more: acknowledged outbox rows and retry keys that are a day old.

    `now` is in Unix seconds, as `created_at` is. Raises `DatabaseUnavailable` or `OutcomeUnknown`; repeat it later.
    """
    with database.writing() as session:
        session.execute(delete(OutboxRow).where(OutboxRow.acknowledged.is_(True), OutboxRow.created_at < now - KEEP_S))
        session.execute(delete(IdempotencyRow).where(IdempotencyRow.created_at < now - KEEP_S))
