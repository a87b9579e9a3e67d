"""The catalogue as the driver's shop: which requests it takes (docs/contract.md §1, §2).

Writes are PATCH: aiohttp and nginx both send GET and PUT again by themselves when an idle connection turns out to be
dead, which for a write would be a second attempt that the history does not know of. Each carries its operation id as
`Idempotency-Key`, so that if anybody does repeat it, it is applied once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from random import Random

import msgspec
from yarl import URL

from cluster.history.operation import Kind
from cluster.workload.answer import described, listed_value, personal_value, product_value, shared_value
from cluster.workload.audit import Shelf
from cluster.workload.client import Client
from cluster.workload.reply import Reply
from cluster.workload.request import EDGE, REDIS, Origins, Request

LOCALE = "en"
PER_PAGE = 20
URLS_MAX = 1 << 14


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The catalogue service, at these addresses; see `cluster.workload.shop.Shop`. `shelves`: where products stand."""

    origins: Origins
    shelves: Mapping[int, Shelf] = field(default_factory=dict)

    @property
    def sign_in(self) -> str:
        """Where people say who they are."""
        return f"{self.origins.edge}/api/session"

    def key(self, product: int) -> str:
        """As the audit table has it."""
        return f"product:{product}"

    def read(self, product: int, via: str, client: Client) -> Request:
        """GET one product, through the edge or from a worker."""
        return Request(
            kind=Kind.READ,
            key=self.key(product),
            via=via,
            method="GET",
            url=_url(f"{self.origins.url(via)}/api/products/{product}"),
            headers=_headers(client),
            body=None,
            operation_id="",
            value_of=product_value,
        )

    def listed(self, product: int, via: str, client: Client) -> Request:
        """GET the page of its category's list on which a product stands: a read of that product, by another way."""
        shelf = self.shelves[product]
        query = f"category={shelf.category}&page={shelf.place // PER_PAGE + 1}&per_page={PER_PAGE}"
        return Request(
            kind=Kind.READ,
            key=f"product:{product}",
            via=via,
            method="GET",
            url=_url(f"{self.origins.url(via)}/api/products?{query}"),
            headers=_headers(client),
            body=None,
            operation_id="",
            value_of=partial(listed_value, product),
        )

    def change(self, product: int, via: str, operation_id: str, client: Client, chance: Random) -> Request:
        """Give a product another price; its description says which write it was."""
        price = chance.randrange(100, 20_000) / 100
        body = {"price": price, "description": described("Counted and priced anew.", operation_id)}
        headers = {**_headers(client), "Content-Type": "application/json", "Idempotency-Key": operation_id}
        return Request(
            kind=Kind.WRITE,
            key=self.key(product),
            via=via,
            method="PATCH",
            url=_url(f"{self.origins.url(via)}/api/products/{product}"),
            headers=headers,
            body=msgspec.json.encode(body),
            operation_id=operation_id,
            value_of=product_value,
        )

    def personal(self, client: Client) -> Request:
        """GET the client's own page, through the edge."""
        return Request(
            kind=Kind.READ,
            key=f"dashboard:{client.user}:{LOCALE}",
            via=EDGE,
            method="GET",
            url=_url(f"{self.origins.edge}/api/dashboard"),
            headers={**_headers(client), "Accept-Language": LOCALE},
            body=None,
            operation_id="",
            value_of=personal_value,
            versioned=False,
        )

    def shared(self, product: int, secret: str) -> Request:
        """Ask a worker what Redis holds of a product."""
        worker = next(iter(self.origins.workers.values()))
        return Request(
            kind=Kind.READ,
            key=self.key(product),
            via=REDIS,
            method="GET",
            url=_url(f"{worker}/_tocsin/entry?key=product:{product}"),
            headers={"Tocsin-Secret": secret},
            body=None,
            operation_id="",
            value_of=shared_value,
        )

    def ended(self, request: Request, reply: Reply) -> None:
        """Take no note: whatever order writes of a product come in, the database numbers them."""


@lru_cache(maxsize=URLS_MAX)
def _url(text: str) -> URL:
    """Parsed once: the same few addresses are asked for thousands of times."""
    return URL(text, encoded=True)


def _headers(client: Client) -> dict[str, str]:
    return {"Cookie": client.cookie_header} if client.cookies else {}
