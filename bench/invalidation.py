"""Invalidation: one of them, and the next reads, while L1 holds a hundred entries or a hundred thousand.

    python -m bench.invalidation

A tag that a hundred entries carry is invalidated; then those hundred are read (and loaded again), and a hundred others
(which are proved again). Both sizes take turns in one process. Nothing here looks for entries, so the sum should not
grow. The peers are what others do with one key: redis-py's client-side cache goes through all its entries; a dictionary
that is searched by prefix, as tutorials do, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from redis.cache import CacheConfig, CacheEntry, CacheEntryStatus, CacheKey, DefaultCache
from tocsin import Cache, Loaded, Policy

from bench.l1 import sequenced_cache, value
from bench.rounds import Measure, measured, ratio, say_where, show

SMALL, LARGE = 200, 100_000
AFFECTED = OTHERS = 100
ROUNDS, REPEATS = 15, 20
HOUR = Policy(ttl_s=3600.0, l1_ttl_s=3600.0)


def filled(entries: int) -> Cache:
    """A cache with so many entries in L1, a hundred of them under the tag."""
    cache = sequenced_cache(lease_s=60.0)
    for number in range(entries):
        tags = ("affected",) if number < AFFECTED else ()
        cache.read(f"product:{number}", lambda number=number, tags=tags: Loaded(value(number), 1, tags), HOUR)  # type: ignore[misc]
    return cache


def load() -> Loaded:
    """What an affected entry is loaded as again."""
    return Loaded(value(0), 1, ("affected",))


def tocsin(cache: Cache) -> float:
    """Microseconds for one invalidation and the two hundred reads."""
    affected = [f"product:{number}" for number in range(AFFECTED)]
    others = [f"product:{number}" for number in range(AFFECTED, AFFECTED + OTHERS)]
    begun = time.perf_counter()
    for _ in range(REPEATS):
        cache.invalidate(tags=("affected",))
        for key in affected:
            cache.get_or_load(key, load, HOUR)
        for key in others:
            assert cache.get(key) is not None
    return (time.perf_counter() - begun) / REPEATS * 1e6


def redis_py(entries: int) -> Callable[[], float]:
    """redis-py's client-side cache: what a push of one invalidated key costs."""
    cache = DefaultCache(CacheConfig(max_size=2 * LARGE))
    for number in range(entries):
        key = CacheKey(command="GET", redis_keys=(f"product:{number}",), redis_args=("GET", f"product:{number}"))
        cache.set(CacheEntry(key, value(number), CacheEntryStatus.VALID, None))

    def timed() -> float:
        begun = time.perf_counter()
        cache.delete_by_redis_keys([b"product:-1"])
        return (time.perf_counter() - begun) * 1e6

    return timed


def by_prefix(entries: int) -> Callable[[], float]:
    """A dictionary, searched by prefix for what to drop."""
    held = {f"product:{number}": value(number) for number in range(entries)}

    def timed() -> float:
        begun = time.perf_counter()
        for key in [key for key in held if key.startswith("order:")]:
            del held[key]
        return (time.perf_counter() - begun) * 1e6

    return timed


def main() -> None:
    """Run all and print what each costs, and how it grows."""
    say_where("redis")
    sizes = {"small": SMALL, "large": LARGE}
    contenders: dict[str, Measure] = {}
    for entries in sizes.values():
        contenders[f"tocsin, {entries:,} entries"] = partial(tocsin, filled(entries))
    for entries in sizes.values():
        contenders[f"redis-py client-side, {entries:,} entries"] = redis_py(entries)
        contenders[f"search by prefix, {entries:,} entries"] = by_prefix(entries)
    figures = measured(contenders, ROUNDS)
    show(figures, unit="µs", beside=f"tocsin, {SMALL:,} entries", digits=1)
    for name in ("tocsin", "redis-py client-side", "search by prefix"):
        grows = ratio(figures[f"{name}, {LARGE:,} entries"], figures[f"{name}, {SMALL:,} entries"])
        print(f"{name}: {grows:.2f} × with {LARGE // SMALL} times the entries")


if __name__ == "__main__":
    main()
