"""Flask-Caching: `@cache.memoize` on the functions that read, `delete_memoized` after a write.

SimpleCache is each worker's own: a write empties the memory of the worker that wrote it, and no other hears of it.
RedisCache is shared.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from flask import Flask
from flask_caching import Cache
from redis.exceptions import RedisError

from peers.peer import TIMEOUTS, Setup
from peers.stock import Stock


class FlaskCaching:
    """A shop with `flask_caching.Cache`."""

    def __init__(self, application: Flask, stock: Stock, config: dict[str, Any], *, level: str) -> None:
        self.level = level
        self._application = application
        self._cache = cache = Cache(application, config=config)

        @cache.memoize()
        def product(product_id: int) -> bytes:
            return stock.product(product_id)

        @cache.memoize()
        def page(user: str, locale: str) -> bytes:
            return stock.page(user, locale)

        self.product, self.page = product, page

    def changed(self, product_id: int) -> None:
        """Forget one product, if Redis can be reached."""
        with suppress(RedisError):
            self._cache.delete_memoized(self.product, product_id)

    def close(self) -> None:
        """Close the connections, where the backend has any: it keeps them itself until the process ends."""
        for name in ("_read_client", "_write_client"):
            client = getattr(self._cache.cache, name, None)
            if client is not None:
                client.connection_pool.disconnect()


def simple(application: Flask, stock: Stock, setup: Setup) -> FlaskCaching:
    """SimpleCache: a dictionary in each worker."""
    config = {"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": setup.local_ttl_s}
    return FlaskCaching(application, stock, config, level="peer-l1")


def redis(application: Flask, stock: Stock, setup: Setup) -> FlaskCaching:
    """RedisCache: one for all."""
    config = {
        "CACHE_TYPE": "RedisCache",
        "CACHE_REDIS_URL": setup.redis_url,
        "CACHE_DEFAULT_TIMEOUT": setup.shared_ttl_s,
        "CACHE_KEY_PREFIX": "flask-caching:",
        "CACHE_OPTIONS": TIMEOUTS,
    }
    return FlaskCaching(application, stock, config, level="peer-l2")
