"""Operation: one write as the shop means it, and every way in which it can end.

    request ──▶ Operation ── DirectWrites | BehindWrites .perform ──▶ Written, or an error of catalog.errors

What always holds: an operation says what is wanted, and nothing of how it is stored; every write path takes the same
operations and ends each in one of the same ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from msgspec import UNSET
from msgspec.structs import replace
from tocsin import Names, Position

from catalog.errors import ConditionFailed, ProductMissing
from catalog.product import LISTS, Kind, NewProduct, Product, ProductChange, WholeProduct, cents_of, key_of, tag_of
from catalog.validator import Conditions, Verdict


@dataclass(frozen=True, slots=True)
class RetryKey:
    """An `Idempotency-Key`, and a fingerprint of the request that it came with."""

    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A write that a client asked for. `product_id` is None for a new product; `apply` makes the wanted product of
    the present one, and leaves its version alone: whoever acknowledges the write gives that.
    """

    kind: Kind
    product_id: int | None
    apply: Callable[[Product], Product]
    conditions: Conditions
    operation_id: str
    retry_key: RetryKey | None

    @property
    def status(self) -> int:
        """The HTTP status of success."""
        return 201 if self.kind == "create" else 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An acknowledged write. `body` is the whole answer, `etag` that of the product in it.

    `replayed`: it had been acknowledged before. `pending`: other nodes do not know of it yet. `durable`: the database
    has it. `names` are what it changed, where that is known. `watermark` is what its session has seen with it; None
    where the strategy numbers nothing. A pending one `waits_for` its outbox row, or, where that is None, for all.
    """

    status: int
    body: bytes
    etag: str
    replayed: bool = False
    pending: bool = False
    durable: bool = True
    names: Names = Names()  # noqa: RUF009  # a frozen value
    watermark: Position | None = None
    waits_for: int | None = None


class Writes(Protocol):
    """The port: a write path."""

    def perform(self, operation: Operation) -> Written:
        """Do it, and return what is acknowledged. Raises `ProductMissing`, `ConditionFailed`, `KeyReused`, `Contended`,
        `DatabaseUnavailable`, `RedisNeeded` (none of them wrote anything) or `OutcomeUnknown`.
        """


def exists(product: Product) -> bool:
    """Whether clients may see it: not a tombstone, and not an id that is merely reserved."""
    return product.version > 0 and not product.deleted


def permit(operation: Operation, present: Product, etag: str) -> None:
    """Raise `ProductMissing` or `ConditionFailed` if `operation` may not be applied to what is there now."""
    if operation.kind == "create":
        return
    if not exists(present):
        raise ProductMissing(present.id, present.version)
    if operation.conditions.judge(etag, safe=False) is not Verdict.PROCEED:
        raise ConditionFailed(present.id, present.version)


def names_of(before: Product, after: Product) -> Names:
    """What changes with this write: the product, the categories that it was and is in, and every list."""
    categories = {after.category} | ({before.category} if exists(before) else set())
    return Names(
        keys=(key_of(after.id),),
        tags=tuple(tag_of(each) for each in sorted(categories)),
        namespaces=(LISTS,),
    )


def rewriting(wanted: NewProduct | WholeProduct) -> Callable[[Product], Product]:
    """POST and PUT: every member becomes what the body says; a tombstone or reserved id becomes a product."""
    return lambda present: replace(
        present,
        name=wanted.name,
        price_cents=cents_of(wanted.price),
        category=wanted.category,
        description=wanted.description,
        deleted=False,
    )


def changing(change: ProductChange) -> Callable[[Product], Product]:
    """PATCH: the members that are given change."""
    given = {name: value for name in change.__struct_fields__ if (value := getattr(change, name)) is not UNSET}
    if "price" in given:
        given["price_cents"] = cents_of(given.pop("price"))
    return lambda present: replace(present, **given)


def deleting(present: Product) -> Product:
    """DELETE: the product becomes a tombstone."""
    return replace(present, deleted=True)
