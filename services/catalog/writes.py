"""Writes: cache-aside and write-through, where a write is in the database before it is acknowledged.

    look at the row ─▶ announce ─▶ BEGIN … lock the row, check again, row + audit + outbox + idempotency … COMMIT
                                 ─▶ finish (delete in Redis, tell the others) ─▶ outbox row acknowledged ─▶ answer

What always holds:
- All rows of a write stand in one transaction: a version without its audit row, or an answer without its idempotency
  row, can't be seen by anyone.
- No transaction is open during a call to Redis: one that is cut off would hold the row, or all of SQLite, as long.
- What the announcement names is what the transaction changes. The names need the product's present category, so it is
  looked at first, without a lock; if it is another one under the lock, the write begins again.
- Whoever dies between COMMIT and finish leaves an outbox row that is not acknowledged, and the relay finishes for it.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import structlog
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from tocsin import PENDING, Cache, Names, Unavailable
from tocsin.outbox.table import position_text
from tocsin.position import Position

from catalog.database import Database
from catalog.errors import Contended, DatabaseUnavailable, KeyReused, OutcomeUnknown, RedisNeeded
from catalog.models import AuditRow, IdempotencyRow, OutboxRow, ProductRow
from catalog.operation import Operation, RetryKey, Written, exists, names_of, permit
from catalog.product import Product, document, key_of, of_row, with_version
from catalog.reservation import never, reserve
from catalog.validator import etag_of

ATTEMPTS_MAX = 8
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Committed:
    """What the transaction wrote."""

    product: Product
    written: Written
    outbox_id: int


@dataclass(frozen=True, slots=True)
class _Moved:
    """Nothing was written: the row is not what was announced, but `present`."""

    present: Product


class DirectWrites:
    """The write path of cache-aside and write-through; which of the two is the cache's setting."""

    def __init__(self, database: Database, cache: Cache, *, node: str, now: Callable[[], float] = time.time) -> None:
        self._database = database
        self._cache = cache
        self._node = node
        self._now = now

    def perform(self, operation: Operation) -> Written:
        """Commit the write and make it known; see `operation.Writes`."""
        seen: Product | Written = self._look(operation)
        for _ in range(ATTEMPTS_MAX):
            if isinstance(seen, Written):
                return self._again(seen)
            try:
                ended = self._announced(operation, seen.id, names_of(seen, operation.apply(seen)))
            except Unavailable as error:  # of the announcement; a finish never raises it
                raise RedisNeeded("a strict write", error) from error
            if isinstance(ended, Written):
                return ended if not ended.replayed else self._again(ended)
            seen = ended.present if isinstance(ended, _Moved) else self._look(operation)
        raise Contended(operation.kind, ATTEMPTS_MAX)

    def _again(self, replayed: Written) -> Written:
        """A repeat, for the session: nobody remembers where the first came, or whether the caches know of it by now."""
        return replace(replayed, watermark=PENDING if self._cache.settings.strategy.is_sequenced else None)

    def _look(self, operation: Operation) -> Product | Written:
        """What is there before the announcement: most refusals, and every later retry, end here without a lock."""
        with self._database.reading() as session:
            if operation.retry_key and (replay := _replay(session, operation.retry_key)):
                return replay
            if operation.product_id is not None:
                return _permitted(operation, session.get(ProductRow, operation.product_id), operation.product_id)
        return reserve(self._database)

    def _announced(self, operation: Operation, product_id: int, names: Names) -> Written | _Moved | None:
        """One attempt; None if a retry of the same request won the race, whose answer is then to be looked up."""
        with self._cache.writing(names) as write:
            try:
                ended = self._transact(operation, product_id, names, write.left_s)
            except OutcomeUnknown:
                write.unknown()
                raise
            except IntegrityError:
                if operation.retry_key is None:
                    raise
                return None
            if isinstance(ended, _Committed):
                product = ended.product
                value = None if product.deleted else document(product)
                write.committed(key=key_of(product.id), value=value, version=product.version)
        if not isinstance(ended, _Committed):
            return ended
        log.info(
            "written",
            kind=operation.kind,
            key=key_of(product_id),
            version=ended.product.version,
            sequence=write.receipt.sequence,
            pending=write.receipt.pending,
        )
        known = replace(ended.written, names=names, watermark=write.receipt.watermark)
        if write.receipt.pending:
            return replace(known, pending=True, waits_for=ended.outbox_id)
        self._acknowledge(ended.outbox_id, write.receipt.watermark)
        return known

    def _transact(
        self, operation: Operation, product_id: int, names: Names, left_s: Callable[[], float]
    ) -> _Committed | _Moved | Written:
        with self._database.writing(left_s) as session:
            # The lock comes before the question for the retry key. Otherwise, with READ COMMITTED:
            #   A: key known? no .. lock, write, COMMIT
            #   B: key known? no ..................... lock, write again
            row = session.get(ProductRow, product_id, with_for_update=True)
            if operation.retry_key and (replay := _replay(session, operation.retry_key)):
                return replay
            present = _permitted(operation, row, product_id)
            assert row is not None, "what is permitted exists"
            wanted = operation.apply(present)
            if names_of(present, wanted) != names:
                return _Moved(present)
            return self._write(session, operation, row, wanted, names)

    def _write(
        self, session: Session, operation: Operation, row: ProductRow, wanted: Product, names: Names
    ) -> _Committed:
        row.name, row.price_cents, row.category = wanted.name, wanted.price_cents, wanted.category
        row.description, row.deleted, row.version = wanted.description, wanted.deleted, row.version + 1
        product = of_row(row)
        body = with_version(document(product), product.version)
        written = Written(status=operation.status, body=body, etag=etag_of(body))
        now = self._now()
        outbox = OutboxRow(
            keys=list(names.keys), tags=list(names.tags), namespaces=list(names.namespaces), created_at=now
        )
        audit = AuditRow(
            key=key_of(product.id),
            version=product.version,
            operation_id=operation.operation_id,
            node=self._node,
            kind=operation.kind,
        )
        session.add_all([audit, outbox])
        if operation.retry_key:
            session.add(
                IdempotencyRow(
                    key=operation.retry_key.key,
                    fingerprint=operation.retry_key.fingerprint,
                    status=written.status,
                    body=body.decode(),
                    etag=written.etag,
                    created_at=now,
                )
            )
        session.flush()
        return _Committed(product, written, outbox.id)

    def _acknowledge(self, outbox_id: int, position: Position | None) -> None:
        # A failure here costs one repeated invalidation by the relay, and the write itself is done: never an error.
        settled = {"acknowledged": True, "position": position and position_text(position)}
        with contextlib.suppress(DatabaseUnavailable, OutcomeUnknown), self._database.writing() as session:
            session.execute(update(OutboxRow).where(OutboxRow.id == outbox_id).values(settled))


def _replay(session: Session, retry_key: RetryKey) -> Written | None:
    """What the first request with this key was answered; None for a new key. Raises `KeyReused`."""
    row = session.get(IdempotencyRow, retry_key.key)
    if row is None:
        return None
    if row.fingerprint != retry_key.fingerprint:
        raise KeyReused
    return Written(status=row.status, body=row.body.encode(), etag=row.etag, replayed=True)


def _permitted(operation: Operation, row: ProductRow | None, product_id: int) -> Product:
    """The product in the row, if the operation may be applied to it; raises the refusals of `permit`."""
    present = of_row(row) if row else never(product_id)
    body = with_version(document(present), present.version) if exists(present) else b""
    permit(operation, present, etag_of(body))
    return present
