"""Requests: what a wish is in HTTP, and what of it goes on file.

Writes are PATCH: aiohttp and nginx both send GET and PUT again by themselves when an idle connection turns out to be
dead, which for a write would be a second attempt that the history does not know of. Each carries its operation id as
`Idempotency-Key`, so that if anybody does repeat it, it is applied once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
from yarl import URL

from cluster.history.operation import Kind
from cluster.workload.answer import Value, described, personal_value, product_value, shared_value
from cluster.workload.client import Client

EDGE, REDIS = "edge", "redis"
LOCALE = "en"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `key` and `via` go on file; `value_of` reads the body of a 2xx answer."""

    kind: Kind
    key: str
    via: str
    method: str
    url: URL
    headers: dict[str, str]
    body: bytes | None
    operation_id: str
    value_of: Callable[[bytes], Value]


@dataclass(frozen=True, slots=True)
class Origins:
    """Where to ask: the edge's URL, and that of each worker by name (`node-1/worker-1`); none ends in a slash."""

    edge: str
    workers: Mapping[str, str]

    def url(self, via: str) -> str:
        """The URL of the edge or of a worker."""
        return self.edge if via == EDGE else self.workers[via]


def read_product(origins: Origins, product: int, via: str, client: Client) -> Request:
    """GET one product, through the edge or from a worker."""
    return Request(
        kind=Kind.READ,
        key=f"product:{product}",
        via=via,
        method="GET",
        url=URL(f"{origins.url(via)}/api/products/{product}", encoded=True),
        headers=_headers(client),
        body=None,
        operation_id="",
        value_of=product_value,
    )


def change_product(origins: Origins, product: int, operation_id: str, *, price: float, client: Client) -> Request:
    """Give a product another price, through the edge; its description says which write it was."""
    body = {"price": price, "description": described("Counted and priced anew.", operation_id)}
    headers = {**_headers(client), "Content-Type": "application/json", "Idempotency-Key": operation_id}
    return Request(
        kind=Kind.WRITE,
        key=f"product:{product}",
        via=EDGE,
        method="PATCH",
        url=URL(f"{origins.edge}/api/products/{product}", encoded=True),
        headers=headers,
        body=msgspec.json.encode(body),
        operation_id=operation_id,
        value_of=product_value,
    )


def read_shared(origins: Origins, product: int, secret: str) -> Request:
    """Ask a worker what Redis holds of a product (docs/contract.md §2)."""
    worker = next(iter(origins.workers.values()))
    return Request(
        kind=Kind.READ,
        key=f"product:{product}",
        via=REDIS,
        method="GET",
        url=URL(f"{worker}/_tocsin/entry?key=product:{product}", encoded=True),
        headers={"Tocsin-Secret": secret},
        body=None,
        operation_id="",
        value_of=shared_value,
    )


def read_personal(origins: Origins, client: Client) -> Request:
    """GET the client's own page, through the edge."""
    return Request(
        kind=Kind.READ,
        key=f"dashboard:{client.user}:{LOCALE}",
        via=EDGE,
        method="GET",
        url=URL(f"{origins.edge}/api/dashboard", encoded=True),
        headers={**_headers(client), "Accept-Language": LOCALE},
        body=None,
        operation_id="",
        value_of=personal_value,
    )


def _headers(client: Client) -> dict[str, str]:
    return {"Cookie": client.cookie_header} if client.cookies else {}
