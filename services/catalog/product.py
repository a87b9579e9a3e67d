"""Product: the shop's one noun, as a value, as JSON, and as a client may write it.

    request body ── NewProduct | WholeProduct | ProductChange (msgspec: checked once) ──▶ Product ──▶ row
    row ──▶ Product ── document() ──▶ bytes without version (what caches hold) ── with_version() ──▶ what is served

What always holds: a price is a whole number of cents; it is a JSON number only at the edge. Cached bytes leave the
version out, because under write-behind the cache itself assigns it; `with_version` puts it back when they are served.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from catalog.models import ProductRow

PRICE_MAX = 9_999_999.99
ID_MAX = 999_999_999  # nine digits: every database column holds them
LISTS = "products"  # the namespace whose version every list's key holds
END = r"$(?!\n)"  # in Python `$` alone also matches before a last newline; in JSON Schema's dialect both are the end
CATEGORY = rf"^[a-z][a-z0-9]*(-[a-z0-9]+)*{END}"
PRINTABLE = rf"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f][^\x00-\x1f\x7f]*{END}"  # one line that is not blank
TEXT = rf"^[^\x00-\x08\x0b-\x1f\x7f]*{END}"  # lines and tabs, but nothing that a database or terminal chokes on

Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=PRINTABLE, description="One line, not blank.")]
Price = Annotated[float, Meta(ge=0, le=PRICE_MAX, description="Euros and whole cents: at most two decimals.")]
Category = Annotated[
    str, Meta(max_length=40, pattern=CATEGORY, description="A slug such as `kitchen`. A new one opens a new category.")
]
Description = Annotated[str, Meta(max_length=2000, pattern=TEXT)]


class NewProduct(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST. Raises `ValueError` (as msgspec does) for a price of a fraction of a cent."""

    name: Name
    price: Price
    category: Category
    description: Description = ""

    def __post_init__(self) -> None:
        cents_of(self.price)


class WholeProduct(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of PUT. What GET answered may be sent back whole: `id` must then be the product's, `version` is ignored
    (`If-Match` is what compares).
    """

    name: Name
    price: Price
    category: Category
    description: Description = ""
    id: int | UnsetType = UNSET
    version: int | UnsetType = UNSET

    def __post_init__(self) -> None:
        cents_of(self.price)


class ProductChange(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of PATCH: the members given are changed."""

    name: Name | UnsetType = UNSET
    price: Price | UnsetType = UNSET
    category: Category | UnsetType = UNSET
    description: Description | UnsetType = UNSET

    def __post_init__(self) -> None:
        if self.price is not UNSET:
            cents_of(self.price)


class Product(Struct, frozen=True, kw_only=True):
    """A product as the database holds it; `deleted` makes it a tombstone, whose members are those it last had."""

    id: int
    name: str
    price_cents: int
    category: str
    description: str
    version: int
    deleted: bool = False

    def row(self) -> dict[str, Any]:
        """The columns of `products`."""
        return msgspec.structs.asdict(self)


class Document(Struct, frozen=True):
    """A product as caches hold it and, with a version, as clients read it."""

    id: int
    name: str
    price: float
    category: str
    description: str


class VersionedDocument(Document, frozen=True):
    """The product that every answer holds."""

    version: int


Kind = Literal["create", "update", "delete"]


def of_row(row: ProductRow) -> Product:
    """The product in a row of `products`."""
    return Product(
        id=row.id,
        name=row.name,
        price_cents=row.price_cents,
        category=row.category,
        description=row.description,
        version=row.version,
        deleted=row.deleted,
    )


def cents_of(price: float) -> int:
    """Return the price in cents. Raises `ValueError` if it is not a whole number of them.

    0.57 is not a binary fraction, so a number counts as whole cents if it is one but for rounding.
    """
    cents = round(price * 100)
    if abs(price * 100 - cents) > 1e-6:
        raise ValueError("Expected a price with at most two decimals")
    return cents


def key_of(product_id: int) -> str:
    """The cache key and audit key of a product."""
    return f"product:{product_id}"


def tag_of(category: str) -> str:
    """The tag of everything that shows products of a category."""
    return f"category:{category}"


def document(product: Product) -> bytes:
    """The cached form: JSON without version."""
    return msgspec.json.encode(
        Document(product.id, product.name, product.price_cents / 100, product.category, product.description)
    )


def versioned(product: Product) -> VersionedDocument:
    """The product as a member of a larger answer."""
    price = product.price_cents / 100
    return VersionedDocument(product.id, product.name, price, product.category, product.description, product.version)


def with_version(cached: bytes, version: int) -> bytes:
    """The served form: the same JSON with `version` as its last member.

    Takes bytes that `document` made, a non-empty object, so its last byte is the closing brace.
    """
    assert cached.endswith(b"}"), "only a document can be given a version"
    return b'%b,"version":%d}' % (cached[:-1], version)
