"""The two worlds in which every contract is kept: adapters in memory, and adapters of a real Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.contracts.world import MemoryWorld, RedisWorld, World
from tests.redis_server import RedisServer, redis_server


@pytest.fixture(scope="session")
def redis_for_contracts() -> Iterator[RedisServer]:
    """One Redis for all contracts; each world has a namespace of its own in it."""
    with redis_server() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    """An empty world, once with each kind of adapters."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    redis = RedisWorld(request.getfixturevalue("redis_for_contracts"))
    yield redis
    redis.close()
