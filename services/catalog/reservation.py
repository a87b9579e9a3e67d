"""Reservation: an id for a product that is about to be created.

A write announces the keys that it will change before it changes them, so a new product needs its key, hence its id,
before its transaction. A reserved id is a tombstone with version 0, committed on its own: nobody can see it, creating
the product is then an ordinary write of that row, and an id that was reserved in vain stays a tombstone for good.
"""

from __future__ import annotations

from catalog.database import Database
from catalog.errors import DatabaseUnavailable, OutcomeUnknown
from catalog.models import ProductRow
from catalog.product import Product, of_row


def reserve(database: Database) -> Product:
    """Commit a tombstone with version 0 and return it. Raises `DatabaseUnavailable`.

    A commit of unknown outcome counts as none: at worst an id is never used.
    """
    try:
        with database.writing() as session:
            row = ProductRow(name="", price_cents=0, category="", description="", version=0, deleted=True)
            session.add(row)
            session.flush()
            return of_row(row)
    except OutcomeUnknown as error:
        raise DatabaseUnavailable(str(error)) from error


def never(product_id: int) -> Product:
    """The product of an id that was never given: nothing, at version 0."""
    return Product(id=product_id, name="", price_cents=0, category="", description="", version=0, deleted=True)
