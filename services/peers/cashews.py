"""cashews: `@cache(ttl=, key=)` with `client_side=True`: values in Redis, copies in each worker that Redis calls back.

It is a library for asyncio, so each worker has one event loop in a thread of its own, which all requests ask.
`protocol=2`, because with RESP3, which redis-py 8 speaks by default, no invalidation ever reaches it and nothing says
so.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import suppress
from typing import TypeVar

from cashews import Cache
from flask import Flask

from peers.peer import TIMEOUTS, Setup
from peers.stock import Stock

T = TypeVar("T")
ANSWER_WITHIN_S = 5.0
CLOSED_WITHIN_S = 1.0


class Cashews:
    """A shop with `cashews.Cache`."""

    level = "peer-l1"

    def __init__(self, application: Flask, stock: Stock, setup: Setup) -> None:  # noqa: ARG002 - it knows no Flask
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cashews", daemon=True)
        self._thread.start()
        self._cache = cache = Cache()
        cache.setup(setup.redis_url, client_side=True, protocol=2, **TIMEOUTS)

        @cache(ttl=setup.shared_ttl_s, key="product:{product_id}")
        async def product(product_id: int) -> bytes:
            return await asyncio.to_thread(stock.product, product_id)

        @cache(ttl=setup.shared_ttl_s, key="page:{user}:{locale}")
        async def page(user: str, locale: str) -> bytes:
            return await asyncio.to_thread(stock.page, user, locale)

        self._product, self._page = product, page
        self._ask(cache.init())

    def product(self, product_id: int) -> bytes:
        """The copy, else Redis, else the database."""
        return self._ask(self._product(product_id))

    def page(self, user: str, locale: str) -> bytes:
        """As `product`."""
        return self._ask(self._page(user, locale))

    def changed(self, product_id: int) -> None:
        """Remove it here and from Redis, which tells everybody."""
        self._ask(self._cache.delete(f"product:{product_id}"))

    def close(self) -> None:
        """End the loop and its thread. Where Redis is away the library does not close; it ends with the process."""
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._cache.close(), self._loop).result(CLOSED_WITHIN_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_WITHIN_S)

    def _ask(self, what: Coroutine[object, object, T]) -> T:
        return asyncio.run_coroutine_threadsafe(what, self._loop).result(ANSWER_WITHIN_S)
