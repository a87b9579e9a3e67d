"""Errors: everything that can go wrong in the shop, and whether what was asked for happened all the same.

    CatalogError
    ├── BadSettings           the environment can't be meant
    ├── BadRequest            the request can't be meant              nothing was written
    ├── ProductMissing        there is no such product                nothing was written
    ├── ConditionFailed       If-Match or If-None-Match rules it out  nothing was written
    ├── KeyReused             the Idempotency-Key is another's        nothing was written
    ├── Contended             others were faster, each time           nothing was written
    ├── DatabaseUnavailable   the database did not serve us           nothing was written
    ├── RedisNeeded           Redis did not serve a write that needs it  nothing was written
    └── OutcomeUnknown        COMMIT was sent, its answer is lost     nobody here knows

What always holds: only `OutcomeUnknown` leaves it open whether a write happened; the same request with its
`Idempotency-Key` may then safely be sent again.
"""

# ruff: noqa: N818 - these names are read as "raise ProductMissing"; the root says that they are errors

from __future__ import annotations


class CatalogError(Exception):
    """The root of the service's errors."""


class BadSettings(CatalogError):
    """The environment can't be meant; the message is one sentence for the person who set it."""


class BadRequest(CatalogError):
    """The request can't be meant. `status` is 400, 415 or 422; `field` names the offender where there is one."""

    def __init__(self, status: int, detail: str, *, field: str | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.field = field


class ProductMissing(CatalogError):
    """There is no such product; `version` is its tombstone's, or 0 where there never was one."""

    def __init__(self, product_id: int, version: int) -> None:
        super().__init__(f"product {product_id} was deleted" if version else f"product {product_id} does not exist")
        self.version = version


class ConditionFailed(CatalogError):
    """`If-Match` or `If-None-Match` did not hold; the product is at `version`."""

    def __init__(self, product_id: int, version: int) -> None:
        super().__init__(f"product {product_id} is at version {version}, which the request's conditions rule out")
        self.version = version


class KeyReused(CatalogError):
    """The `Idempotency-Key` belongs to another request."""

    def __init__(self) -> None:
        super().__init__("this Idempotency-Key was used with another request: choose a new one")


class Contended(CatalogError):
    """Others changed the product each time we tried."""

    def __init__(self, kind: str, attempts: int) -> None:
        super().__init__(f"{attempts} attempts at this {kind} met another write each time: try again")


class DatabaseUnavailable(CatalogError):
    """The database did not serve us: either COMMIT was never sent, or it was refused."""


class RedisNeeded(CatalogError):
    """Under `strict`, and on the write path write-behind, what Redis can't be told is not written."""

    def __init__(self, what: str, reason: object) -> None:
        super().__init__(f"{what} needs Redis: {reason}")


class OutcomeUnknown(CatalogError):
    """COMMIT was sent and its answer is lost: the write may have happened."""
