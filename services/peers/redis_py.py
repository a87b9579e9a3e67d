"""redis-py's client-side cache: values in Redis, and copies in each worker that Redis calls back (RESP3 tracking).

It needs a Redis of 7.4 or newer.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from flask import Flask
from redis import Redis
from redis.cache import CacheConfig
from redis.exceptions import RedisError

from peers.peer import TIMEOUTS, Setup
from peers.stock import Stock


class Tracking:
    """A shop with `Redis(protocol=3, cache_config=CacheConfig())`."""

    level = "peer-l1"

    def __init__(self, application: Flask, stock: Stock, setup: Setup) -> None:  # noqa: ARG002 - it knows no Flask
        self._stock = stock
        self._ttl_s = setup.shared_ttl_s
        self._redis = Redis.from_url(setup.redis_url, protocol=3, cache_config=CacheConfig(), **TIMEOUTS)

    def product(self, product_id: int) -> bytes:
        """The copy, else Redis, else the database."""
        return self._read(f"redis-py:product:{product_id}", lambda: self._stock.product(product_id))

    def page(self, user: str, locale: str) -> bytes:
        """As `product`."""
        return self._read(f"redis-py:page:{user}:{locale}", lambda: self._stock.page(user, locale))

    def changed(self, product_id: int) -> None:
        """Remove it from Redis, which tells everybody who read it; if Redis can be reached."""
        try:
            self._redis.delete(f"redis-py:product:{product_id}")
        except RedisError:
            return

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()

    def _read(self, key: str, load: Callable[[], bytes]) -> bytes:
        try:
            kept = self._redis.get(key)
        except RedisError:
            return load()
        if isinstance(kept, bytes):
            return kept
        value = load()
        with suppress(RedisError):
            self._redis.set(key, value, ex=self._ttl_s)
        return value
