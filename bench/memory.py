"""Memory: what an entry of L1 costs beyond its value, measured as the process grows.

    python -m bench.memory

Fifty thousand entries of 200 bytes each, put by reads through the whole cache and a Redis, and hit once, in a process
of its own for each contender. `allocated` is what Python's allocator was asked for (tracemalloc), `resident` how much
the process has grown; the value's own bytes are taken off both. Everything else (key, entry, queue, dictionary, and
whatever a cache keeps besides) is overhead.
"""

from __future__ import annotations

import gc
import multiprocessing
import tracemalloc
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from sys import getsizeof

from cachelib import SimpleCache
from tocsin import CacheSettings, Loaded, Policy, connect
from tocsin.settings import Agent

from bench.l1 import value
from bench.rounds import say_where
from tests.redis_server import redis_server
from tests.until import until

ENTRIES = 50_000
HOUR = Policy(ttl_s=3600.0, l1_ttl_s=3600.0)
VALUE_BYTES = getsizeof(value(0))

Fill = Callable[[], Iterator[None]]
"""Sets itself up, yields, puts every entry, and yields again."""


def tocsin_quiet() -> Iterator[None]:
    """Nothing is written meanwhile: entries share the position at which they were looked up."""
    yield from _tocsin(writes=False)


def tocsin_busy() -> Iterator[None]:
    """A write before each load: every entry has a position of its own."""
    yield from _tocsin(writes=True)


def tocsin_tagged() -> Iterator[None]:
    """Each entry with a tag of ten."""
    yield from _tocsin(writes=False, tags=10)


def _tocsin(*, writes: bool, tags: int = 0) -> Iterator[None]:
    with redis_server() as server:
        settings = CacheSettings(
            redis_url=server.url, node="bench", agent=Agent.THREAD, lease_s=60.0, l1_max_bytes=1 << 30
        )
        cache = connect(settings)
        cache.start()
        until(lambda: cache.hearing().hears, within_s=10, waiting_for="the lease")
        yield
        for number in range(ENTRIES):
            tag = (f"tag-{number % tags}",) if tags else ()
            if writes:
                cache.invalidate(keys=(f"other:{number}",))
            cache.read(f"product:{number}", lambda number=number, tag=tag: Loaded(value(number), 1, tag), HOUR)  # type: ignore[misc]
        assert cache.levels().entries == ENTRIES, "something was evicted"
        hits = [cache.get(f"product:{number}") for number in range(ENTRIES)]  # so that every entry has been proved
        assert None not in hits
        del hits
        yield
        cache.stop()


def cachelib_simple() -> Iterator[None]:
    """What Flask-Caching keeps in the process: pickles, by key."""
    cache = SimpleCache(threshold=2 * ENTRIES, default_timeout=3600)
    yield
    for number in range(ENTRIES):
        cache.set(f"product:{number}", value(number))
    yield


def plain_dict() -> Iterator[None]:
    """The bound: a dictionary of keys and values."""
    held: dict[str, bytes] = {}
    yield
    for number in range(ENTRIES):
        held[f"product:{number}"] = value(number)
    yield


def resident_bytes() -> int:
    """How much of this process is in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def measure(fill: Fill, traced: bool, told: Connection) -> None:
    """Fill, and tell how much that took per entry, beyond the value."""
    if traced:
        tracemalloc.start()
    steps = fill()
    next(steps)
    gc.collect()
    before = tracemalloc.get_traced_memory()[0] if traced else resident_bytes()
    next(steps)
    gc.collect()
    after = tracemalloc.get_traced_memory()[0] if traced else resident_bytes()
    told.send((after - before) / ENTRIES - VALUE_BYTES)


def main() -> None:
    """Measure each contender twice, and print."""
    say_where("cachelib")
    contenders: dict[str, Fill] = {
        "a dictionary": plain_dict,
        "tocsin, nothing written meanwhile": tocsin_quiet,
        "tocsin, one of ten tags": tocsin_tagged,
        "tocsin, a write before each load": tocsin_busy,
        "cachelib.SimpleCache": cachelib_simple,
    }
    for name, fill in contenders.items():
        figures = []
        for traced in (True, False):
            heard, told = multiprocessing.get_context("spawn").Pipe(duplex=False)
            process = multiprocessing.get_context("spawn").Process(target=measure, args=(fill, traced, told))
            process.start()
            figures.append(heard.recv())
            process.join()
        print(f"{name:40}{figures[0]:8.0f} bytes allocated{figures[1]:8.0f} bytes resident", flush=True)


if __name__ == "__main__":
    main()
