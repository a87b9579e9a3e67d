"""Batch: reading many values that only L2 has, per key, beside redis-py's GET and MGET, in one run.

    python -m bench.batch

A hundred keys of 200 bytes each, through one connection of each client. `get_many` here checks each entry's epoch and
marks, and measures what is left to it; "and keeps" also puts the copies into L1, as an application's does. Every
contender runs once a round, in an order drawn anew, and the median of the rounds counts.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from uuid import uuid4

from redis import Redis
from tocsin import CacheSettings, Loaded, Policy, connect
from tocsin.settings import Agent

from tests.redis_server import redis_server

KEYS, ROUNDS, REPEATS = 100, 15, 20
VALUE = b"x" * 200


def contenders(url: str) -> dict[str, Callable[[], object]]:
    """Return ways to read all keys."""
    cache = connect(CacheSettings(redis_url=url, node="bench", namespace=uuid4().hex, agent=Agent.THREAD))
    cache.start()
    while not cache.hearing().hears:
        time.sleep(0.01)
    hour = Policy(ttl_s=3600.0, l1_ttl_s=3600.0)
    keys = [f"product:{number}" for number in range(KEYS)]
    for key in keys:
        cache.get_or_load(key, lambda: Loaded(VALUE, 1, ("toys",)), hour)
    shared, addresses = cache._parts.shared, cache._parts.addressing.resolve(keys, hour)
    local = cache._parts.local
    assert local is not None
    client = Redis.from_url(url)
    for key in keys:
        client.set(key, VALUE)

    def get_many() -> object:
        local.entries.clear()
        return cache.get_many(keys, hour)

    return {
        "redis-py GET": lambda: [client.get(key) for key in keys],
        "redis-py MGET": lambda: client.mget(keys),
        "tocsin get_many, and keeps": get_many,
        "tocsin, the round trip alone": lambda: shared.glimpse(addresses),
        "tocsin get_many, all in L1": lambda: cache.get_many(keys, hour),
    }


def main() -> None:
    """Print the medians per key, and their ratios to redis-py's GET."""
    with redis_server() as server:
        ways = contenders(server.url)
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name in random.sample(list(ways), len(ways)):
                begun = time.perf_counter()
                for _ in range(REPEATS):
                    ways[name]()
                times[name].append((time.perf_counter() - begun) / REPEATS / KEYS)
    medians = {name: statistics.median(each) for name, each in times.items()}
    for name, seconds in medians.items():
        print(f"{name:32}{seconds * 1e6:9.2f} µs a key{seconds / medians['redis-py GET']:9.3f} ×")


if __name__ == "__main__":
    main()
