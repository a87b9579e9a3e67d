"""Products: what the shop shows of them, read through the cache.

    read_product, read_list ── cache.read(key, load, policy) ──▶ Answer   (load runs only on a miss)

What always holds: a loader opens its transaction when it is called, never before (hazard 38). A product's entry
depends on its own key alone; a list's key holds the version of the namespace `products`, which every write raises, so
no write needs to know which pages show the product. A list carries its category's tag too, for writers that bypass us.
"""

from __future__ import annotations

from msgspec import Struct, json
from sqlalchemy import ColumnElement, func, select
from tocsin import Answer, Cache, Loaded, Policy, Position

from catalog.database import Database
from catalog.models import ProductRow
from catalog.operation import exists
from catalog.product import LISTS, VersionedDocument, document, key_of, of_row, tag_of, versioned

PAGE_MAX = 10_000
PER_PAGE_MAX = 100
PRODUCT = Policy(negative_ttl_s=1.0)
LIST = Policy(versioned_by=LISTS)


class Page(Struct, frozen=True):
    """Which part of the shop: `category` is empty for all of it."""

    category: str = ""
    page: int = 1
    per_page: int = 20

    @property
    def key(self) -> str:
        """The cache key."""
        return f"products:{self.category}:{self.page}:{self.per_page}"


class Listing(Struct, frozen=True):
    """One page of products, in the order of their ids; `total` and `pages` count the whole selection."""

    items: list[VersionedDocument]
    page: int
    per_page: int
    total: int
    pages: int


def read_product(cache: Cache, database: Database, product_id: int, at_least: Position | None = None) -> Answer:
    """The product's document, without version; a negative answer carries the tombstone's. Raises `DatabaseUnavailable`
    where no level has it and the database can't be read.
    """
    return cache.read(key_of(product_id), lambda: load_product(database, product_id), PRODUCT, at_least=at_least)


def read_list(cache: Cache, database: Database, page: Page, at_least: Position | None = None) -> Answer:
    """One page as the JSON of a `Listing`. Raises `DatabaseUnavailable`, as `read_product` does."""
    return cache.read(page.key, lambda: load_list(database, page), LIST, at_least=at_least)


def load_product(database: Database, product_id: int) -> Loaded:
    """Read one product from the database."""
    with database.reading() as session:
        row = session.get(ProductRow, product_id)
        if row is None:
            return Loaded(None)
        product = of_row(row)
    return Loaded(document(product) if exists(product) else None, product.version)


def load_list(database: Database, page: Page) -> Loaded:
    """Read one page from the database.

    The two statements may see two states of it. A write between them raises the namespace's version after its commit,
    so what they put together is kept under a version that nobody asks for any more.
    """
    wanted: list[ColumnElement[bool]] = [ProductRow.deleted.is_(False)]
    if page.category:
        wanted.append(ProductRow.category == page.category)
    with database.reading() as session:
        total = session.scalar(select(func.count()).select_from(ProductRow).where(*wanted)) or 0
        rows = session.scalars(
            select(ProductRow)
            .where(*wanted)
            .order_by(ProductRow.id)
            .limit(page.per_page)
            .offset((page.page - 1) * page.per_page)
        ).all()
        items = [versioned(of_row(row)) for row in rows]
    listing = Listing(items, page.page, page.per_page, total, pages=-(-total // page.per_page))
    return Loaded(json.encode(listing), tags=(tag_of(page.category),) if page.category else ())
