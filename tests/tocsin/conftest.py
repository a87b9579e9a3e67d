"""What tests of the Redis adapters share: servers, and caches that are stopped afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from tocsin import Cache, CacheSettings, connect

from tests.redis_server import RedisServer, redis_server
from tests.tocsin.town import Witness

Connect = Callable[..., Cache]


@pytest.fixture(scope="module")
def module_redis() -> Iterator[RedisServer]:
    """One Redis for the tests of a module; they may pause, stop and start it."""
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(module_redis: RedisServer) -> Iterator[RedisServer]:
    """A running, answering Redis, whatever the test before did to it."""
    yield module_redis
    module_redis.restore()


@pytest.fixture
def witness() -> Witness:
    """The observer of the caches that `connected` makes."""
    return Witness()


@pytest.fixture
def connected(redis: RedisServer, witness: Witness) -> Iterator[Connect]:
    """Makes caches on `redis`, all in one namespace of the test's own, and stops them."""
    caches: list[Cache] = []
    chosen: dict[str, Any] = {"redis_url": redis.url, "node": "node", "namespace": uuid4().hex, "canary_every_s": 0.1}

    def connected(**settings: Any) -> Cache:
        caches.append(connect(CacheSettings(**{**chosen, **settings}), observer=witness))
        return caches[-1]

    yield connected
    for cache in caches:
        cache.stop()
