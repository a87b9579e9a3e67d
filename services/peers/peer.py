"""Peer: the port: a shop's three questions to a cache, answered by each library in its own way.

`TIMEOUTS` are what redis-py is given wherever a library passes options on: without them a silent Redis would hold every
request for ever, which nobody's documents recommend.
"""

from __future__ import annotations

from typing import Any, Protocol

from flask import Flask
from msgspec import Struct

from peers.stock import Stock

TIMEOUTS: dict[str, Any] = {"socket_timeout": 0.25, "socket_connect_timeout": 0.25}


class Setup(Struct, frozen=True, kw_only=True):
    """What every library is given: the same times to live as the catalogue's own strategies, so that rows compare."""

    redis_url: str
    local_ttl_s: int
    shared_ttl_s: int


class Peer(Protocol):
    """One library in use in one worker. Made after the fork."""

    level: str
    """Where a hit comes from: `peer-l1`, this worker's memory (or it can't be told), or `peer-l2`, Redis."""

    def product(self, product_id: int) -> bytes:
        """Return `Stock.product(product_id)`, cached."""

    def page(self, user: str, locale: str) -> bytes:
        """Return `Stock.page(user, locale)`, cached."""

    def changed(self, product_id: int) -> None:
        """Invalidate a product, after the commit of its change."""

    def close(self) -> None:
        """Close what was opened."""


class Maker(Protocol):
    """Makes a peer for a worker."""

    def __call__(self, application: Flask, stock: Stock, setup: Setup) -> Peer:
        """Return it, ready to be used."""
