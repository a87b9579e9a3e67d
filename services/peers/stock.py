"""Stock: what is behind every peer's cache: the catalogue's database, read and written without any cache.

What always holds: whatever is loaded says by whom and as which load, in a line of its own before the body, so that an
answer can say whether it came from a cache, whatever the library tells; a write is one transaction with its audit row.
"""

from __future__ import annotations

from itertools import count

import msgspec
from catalog.database import Database
from catalog.errors import ProductMissing
from catalog.models import AuditRow, ProductRow
from catalog.operation import changing, exists
from catalog.product import ProductChange, document, key_of, of_row, with_version
from msgspec import Struct


class Stamped(Struct, frozen=True):
    """What a loader returned: by which worker, as its load of which number, and the body (empty: there is none)."""

    worker: str
    load: int
    body: bytes


class Stock:
    """The database as one worker sees it."""

    def __init__(self, database: Database, *, node: str, worker: str) -> None:
        self._database = database
        self._node = node
        self.worker = worker
        self._numbers = count(1)
        self.loads = 0
        """How many loads this worker has begun."""

    def product(self, product_id: int) -> bytes:
        """Load a product, stamped."""
        stamp = self._stamp()
        with self._database.reading() as session:
            row = session.get(ProductRow, product_id)
            if row is None or not exists(product := of_row(row)):
                return stamp
            return stamp + with_version(document(product), product.version)

    def page(self, user: str, locale: str) -> bytes:
        """Make a user's own page, stamped."""
        return self._stamp() + msgspec.json.encode({"user": user, "locale": locale, "greeting": f"Hello, {user}"})

    def change(self, product_id: int, change: ProductChange, operation_id: str) -> bytes:
        """Change a product and return it as it is now. Raises `ProductMissing` and what the database raises."""
        with self._database.writing() as session:
            row = session.get(ProductRow, product_id, with_for_update=True)
            if row is None or not exists(of_row(row)):
                raise ProductMissing(product_id, row.version if row else 0)
            wanted = changing(change)(of_row(row))
            row.name, row.price_cents, row.category = wanted.name, wanted.price_cents, wanted.category
            row.description, row.version = wanted.description, row.version + 1
            session.add(
                AuditRow(
                    key=key_of(product_id),
                    version=row.version,
                    operation_id=operation_id,
                    node=self._node,
                    kind="update",
                )
            )
            return with_version(document(of_row(row)), row.version)

    def probe(self) -> None:
        """Raises `DatabaseUnavailable` where the database does not answer."""
        self._database.probe()

    def _stamp(self) -> bytes:
        self.loads = number = next(self._numbers)
        return f"{self.worker} {number}\n".encode()


def stamped(value: bytes) -> Stamped:
    """Take what a loader returned apart."""
    line, _, body = value.partition(b"\n")
    worker, _, number = line.decode().partition(" ")
    return Stamped(worker, int(number), body)
