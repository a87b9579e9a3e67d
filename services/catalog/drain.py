"""Drain: what write-behind has acknowledged, brought into the database.

    journal: op 1 (product:7 v4), op 2 (product:9 v2), op 3 (product:7 v5)
      per key, in order, one transaction: row ← last operation, one audit row per operation
      after the commit ─▶ drained(op): out of the journal, unpinned if still at this version, invalidated

What always holds: an operation takes effect once, however often it is delivered. The row is locked, and what is not
above the row's version has been drained before; whoever dies after COMMIT leaves it in the journal, and the next drain
finds it done and says so.
"""

from __future__ import annotations

from itertools import groupby

import msgspec
import structlog
from sqlalchemy import insert, select
from tocsin import Cache
from tocsin.journal import Operation

from catalog.behind import Journalled
from catalog.database import Database
from catalog.errors import DatabaseUnavailable, OutcomeUnknown
from catalog.models import AuditRow, ProductRow

BATCH = 200
log = structlog.get_logger()


def drain(database: Database, cache: Cache) -> int:
    """Bring the oldest operations into the database; return how many. Raises `Unavailable` if Redis can't be read.

    A key whose transaction fails is left for the next turn, and does not hold up the others.
    """
    drained = 0
    # Sorting is stable: within a key the journal's order stays.
    waiting = sorted(cache.pending(BATCH), key=lambda each: each.key)
    for key, operations in ((key, list(group)) for key, group in groupby(waiting, key=lambda each: each.key)):
        try:
            _commit(database, key, operations)
        except (DatabaseUnavailable, OutcomeUnknown) as error:
            log.warning("drain put off", key=key, operations=len(operations), reason=str(error))
            continue
        for operation in operations:
            cache.drained(operation)
        drained += len(operations)
        log.info("drained", key=key, operations=len(operations), version=operations[-1].version)
    return drained


def _commit(database: Database, key: str, operations: list[Operation]) -> None:
    decoded = [msgspec.json.decode(each.operation, type=Journalled) for each in operations]
    last = decoded[-1].product
    with database.writing() as session:
        row = session.scalar(select(ProductRow).where(ProductRow.id == last.id).with_for_update())
        if row is None:  # the id was reserved in another life of this database; the acknowledged product still counts
            row = ProductRow(id=last.id, name="", price_cents=0, category="", description="", version=0)
            session.add(row)
        new = [
            {
                "key": key,
                "version": each.version,
                "operation_id": what.operation_id,
                "node": what.node,
                "kind": what.kind,
            }
            for each, what in zip(operations, decoded, strict=True)
            if each.version > row.version
        ]
        if not new:
            return
        session.execute(insert(AuditRow), new)
        row.name, row.price_cents, row.category = last.name, last.price_cents, last.category
        row.description, row.deleted, row.version = last.description, last.deleted, operations[-1].version
