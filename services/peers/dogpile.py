"""dogpile.cache: `@region.cache_on_arguments()` on Redis, with the distributed lock that its documents recommend."""

from __future__ import annotations

from collections.abc import Callable

from dogpile.cache import make_region
from flask import Flask
from redis.exceptions import RedisError

from peers.peer import TIMEOUTS, Setup
from peers.stock import Stock


class Dogpile:
    """A shop with a dogpile region."""

    level = "peer-l2"

    def __init__(self, application: Flask, stock: Stock, setup: Setup) -> None:  # noqa: ARG002 - it knows no Flask
        self._stock = stock
        region = make_region(key_mangler=lambda key: f"dogpile:{key}").configure(
            "dogpile.cache.redis",
            expiration_time=setup.shared_ttl_s,
            arguments={
                "url": setup.redis_url,
                "redis_expiration_time": 2 * setup.shared_ttl_s,  # longer than the expiration, say the documents
                "distributed_lock": True,
                "lock_timeout": 5,
                "thread_local_lock": False,
                "connection_kwargs": TIMEOUTS,
            },
        )
        self._backend = region.actual_backend

        @region.cache_on_arguments()
        def product(product_id: int) -> bytes:
            return stock.product(product_id)

        @region.cache_on_arguments()
        def page(user: str, locale: str) -> bytes:
            return stock.page(user, locale)

        self._product, self._page = product, page
        self._forget: Callable[[int], None] = product.invalidate  # type: ignore[attr-defined]

    def product(self, product_id: int) -> bytes:
        """From the region; from the database where Redis can't be reached."""
        try:
            value: bytes = self._product(product_id)
        except RedisError:
            value = self._stock.product(product_id)
        return value

    def page(self, user: str, locale: str) -> bytes:
        """As `product`."""
        try:
            value: bytes = self._page(user, locale)
        except RedisError:
            value = self._stock.page(user, locale)
        return value

    def changed(self, product_id: int) -> None:
        """Remove it from Redis, if that can be reached."""
        try:
            self._forget(product_id)
        except RedisError:
            return

    def close(self) -> None:
        """Close the connections, which the region itself keeps until the process ends."""
        for client in {self._backend.reader_client, self._backend.writer_client}:
            client.connection_pool.disconnect()
