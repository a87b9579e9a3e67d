"""Behind: write-behind, where a write is acknowledged by Redis and reaches the database later.

    look at the product ─▶ Redis, in one step: version, dirty value, journal, retry key, invalidation ─▶ answer
                                                                    └─▶ catalog.drain ─▶ database

What always holds: the step refuses a write whose view of the product is no longer the newest, and the write then looks
again; so `If-Match` and PATCH never work on an old product, though nothing is locked. A write that Redis does not take
did not happen: committing it to the database instead would give out versions that the journal may have given already.
Lists and dashboards are made of rows: they show a write when it has been drained.
"""

from __future__ import annotations

import msgspec
import structlog
from msgspec import Struct
from msgspec.structs import replace
from tocsin import (
    PENDING,
    Accepted,
    Behind,
    Cache,
    Happened,
    Idempotency,
    Names,
    Outdated,
    Position,
    Replayed,
    Reused,
    Unavailable,
)

from catalog.database import Database
from catalog.errors import ConditionFailed, Contended, KeyReused, OutcomeUnknown, ProductMissing, RedisNeeded
from catalog.models import ProductRow
from catalog.operation import Operation, Written, exists, names_of, permit
from catalog.product import Document, Kind, Product, cents_of, document, key_of, of_row, with_version
from catalog.products import read_product
from catalog.reservation import never, reserve
from catalog.validator import etag_of

ATTEMPTS_MAX = 8
NO_NAMES = Names()
NEVER_A_VERSION = 2**53 - 1  # so this condition never holds
log = structlog.get_logger()


class Journalled(Struct, frozen=True):
    """An operation as the journal holds it; its version is the journal's own."""

    kind: Kind
    product: Product
    operation_id: str
    node: str


class BehindWrites:
    """The write path of write-behind."""

    def __init__(self, database: Database, cache: Cache, *, node: str) -> None:
        self._database = database
        self._cache = cache
        self._node = node

    def perform(self, operation: Operation) -> Written:
        """Journal the write; see `operation.Writes`. Also raises `RedisNeeded`."""
        if replay := self._replay(operation):
            return replay
        if operation.product_id is None:
            product_id, seen = (new := reserve(self._database)).id, new
        else:
            product_id = operation.product_id
            seen = self._look(product_id)
        for attempt in range(ATTEMPTS_MAX):
            try:
                permit(operation, seen, etag_of(_body(seen)))
            except (ProductMissing, ConditionFailed):
                # Perhaps only what we saw is old: this worker's L1 may not have heard of the write that the client
                # names in If-Match. A refusal is believed when it is repeated.
                if attempt:
                    raise
            else:
                wanted = operation.apply(seen)
                outcome = self._journal(self._behind(operation, seen, wanted))
                if not isinstance(outcome, Outdated):
                    return self._written(operation, wanted, outcome, names_of(seen, wanted))
            self._cache.finish_again(Names(keys=(key_of(product_id),)))
            seen = self._look(product_id)
        raise Contended(operation.kind, ATTEMPTS_MAX)

    def _look(self, product_id: int) -> Product:
        """The newest product that this node knows of: dirty, cached, or the database's."""
        answer = read_product(self._cache, self._database, product_id)
        if answer.value is None:
            return replace(never(product_id), version=answer.version)
        shown = msgspec.json.decode(answer.value, type=Document)
        return Product(
            id=product_id,
            name=shown.name,
            price_cents=cents_of(shown.price),
            category=shown.category,
            description=shown.description,
            version=answer.version,
        )

    def _behind(self, operation: Operation, seen: Product, wanted: Product) -> Behind:
        journalled = Journalled(operation.kind, wanted, operation.operation_id, self._node)
        key = operation.retry_key
        return Behind(
            key=key_of(wanted.id),
            operation=msgspec.json.encode(journalled),
            value=None if wanted.deleted else document(wanted),
            row_version=seen.version,
            names=names_of(seen, wanted),
            expected_version=seen.version,
            idempotency=Idempotency(key.key, key.fingerprint) if key else None,
        )

    def _replay(self, operation: Operation) -> Written | None:
        """What the first request with this key was answered, asked before anything can refuse the repeat.

        Otherwise a repeated DELETE would be 404, and a repeat under `If-Match` 412: the first has changed the product.
        """
        if operation.retry_key is None:
            return None
        nothing = never(operation.product_id or 0)
        asking = replace(self._behind(operation, nothing, nothing), expected_version=NEVER_A_VERSION)
        outcome = self._journal(asking)
        return None if isinstance(outcome, Outdated) else self._written(operation, nothing, outcome)

    def _journal(self, behind: Behind) -> Accepted | Replayed | Outdated:
        try:
            outcome = self._cache.write_behind(behind)
        except Unavailable as error:
            if error.happened is Happened.UNKNOWN:
                raise OutcomeUnknown(str(error)) from error
            raise RedisNeeded("a write-behind write", error) from error
        if isinstance(outcome, Reused):
            raise KeyReused
        return outcome

    def _written(
        self, operation: Operation, wanted: Product, outcome: Accepted | Replayed, names: Names = NO_NAMES
    ) -> Written:
        replayed = isinstance(outcome, Replayed)
        if isinstance(outcome, Accepted):
            cached = document(wanted)
            log.info("written", kind=operation.kind, key=key_of(wanted.id), version=outcome.version, durable=False)
        elif outcome.value is not None:
            cached = outcome.value
        else:  # a repeated DELETE: the tombstone's row still has the members
            cached = self._last_seen(wanted.id)
        body = with_version(cached, outcome.version)
        return Written(
            status=operation.status,
            body=body,
            etag=etag_of(body),
            replayed=replayed,
            durable=False,
            names=names,
            watermark=self._position(),
            waits_for=0,
        )

    def _position(self) -> Position | None:
        """What the session has seen: the journal took the write and finished it a moment ago."""
        try:
            return self._cache.position()
        except Unavailable:
            return PENDING  # for as long as Redis can't be asked: no outbox row waits

    def _last_seen(self, product_id: int) -> bytes:
        """The members of a product that is being deleted, or was: they stay in its row."""
        with self._database.reading() as session:
            row = session.get(ProductRow, product_id)
            return document(of_row(row) if row else never(product_id))


def _body(product: Product) -> bytes:
    return with_version(document(product), product.version) if exists(product) else b""
