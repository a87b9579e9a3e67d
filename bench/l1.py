"""L1: what a hit in the local level costs, beside a plain dictionary and the local caches of others, in one run.

    python -m bench.l1

Ten thousand keys, read in a Zipf distribution, a value of 200 bytes each, of its own. Tocsin's hit asks for the lease,
epoch, invalidations and expiry, marks the entry as used, and counts. `SimpleCache` unpickles a copy; redis-py's
client-side cache (RESP3, needs a server of 7.4 or newer) copies, too; the others share the object, as Tocsin does.
cachebox is faster than everything here, and proves nothing: it is no peer, but a bound.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial

import redis
from flask import Flask
from flask_caching import Cache as FlaskCache
from redis.cache import CacheConfig
from tocsin import Cache, CacheSettings, Loaded, Strategy
from tocsin.agent.thread import ThreadTable
from tocsin.assembly import Adapters, Sequencing, compose
from tocsin.clock import SystemClock
from tocsin.follower import Rhythm
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.observer import Tally
from tocsin.policy import Policy
from tocsin.sequencer import Terms

from bench.rounds import Measure, measured, ratio, say_where, show
from tests.redis_server import redis_server

KEYS, READS, ROUNDS = 10_000, 50_000, 15
SLOW_READS = 2_000
"""For those that take more than a microsecond."""
HOUR = Policy(ttl_s=3600.0, l1_ttl_s=3600.0)

Get = Callable[[str], object]


def value(number: int) -> bytes:
    """A value of 200 bytes, of its own for each key."""
    return b"%0200d" % number


def sequenced_cache(*, lease_s: float = 1.0) -> Cache:
    """A cache under `sequenced` in this process: a server in memory, and a follower that beats in a thread."""
    clock = SystemClock()
    store = MemoryStore(clock)
    sequencer = MemorySequencer(MemoryServer(now=clock.now, terms=Terms()), clock.lock(), clock.pause)
    table = ThreadTable(sequencer, name="bench", clock=clock, rhythm=Rhythm(lease_s=lease_s))
    plain = MemorySharedLevel(store, tells=False, consults_dirty=False)
    cache = compose(
        CacheSettings(redis_url="redis://unused", node="bench", strategy=Strategy.SEQUENCED, l1_max_bytes=1 << 30),
        Adapters(plain, MemoryJournal(plain, tells=False), MemoryBackplane(store), Sequencing(sequencer, table)),
        clock=clock,
        observer=Tally(),
    )
    cache.start()
    while not cache.hearing().hears:  # the first beat, and its canary
        clock.pause(0.01)
    return cache


def tocsin(keys: list[str]) -> dict[str, Get]:
    """Ways to hit L1 under `sequenced`, every key in it."""
    cache = sequenced_cache()

    def load() -> Loaded:
        raise AssertionError("a miss")

    for number, key in enumerate(keys):
        cache.read(key, lambda number=number: Loaded(value(number)), HOUR)  # type: ignore[misc]
    return {
        "tocsin get": cache.get,
        "tocsin get_or_load": lambda key: cache.get_or_load(key, load, HOUR),
        "tocsin read, with its Answer": lambda key: cache.read(key, load, HOUR),
    }


def flask_caching(keys: list[str]) -> Get:
    """The `get` of Flask-Caching's cache in the process."""
    application = Flask(__name__)
    cache = FlaskCache(application, config={"CACHE_TYPE": "SimpleCache", "CACHE_THRESHOLD": 2 * KEYS})
    application.app_context().push()
    for number, key in enumerate(keys):
        cache.set(key, value(number), timeout=3600)
    get: Get = cache.get
    return get


@contextlib.contextmanager
def redis_py(keys: list[str]) -> Iterator[Get]:
    """redis-py's client-side cache, over a server of its own."""
    with redis_server() as server:
        client = redis.Redis.from_url(server.url, protocol=3, cache_config=CacheConfig(max_size=2 * KEYS))
        for number, key in enumerate(keys):
            client.set(key, value(number))
        for key in keys:
            client.get(key)
        yield client.get
        client.close()


def lru(keys: list[str]) -> Get:
    """What most write by hand: an `OrderedDict` with expiry and LRU, without a lock and without any coherence."""
    until = time.monotonic() + 3600
    held = OrderedDict((key, (until, value(number))) for number, key in enumerate(keys))

    def get(key: str) -> object:
        kept = held.get(key)
        if kept is None or time.monotonic() >= kept[0]:
            return None
        held.move_to_end(key)
        return kept[1]

    return get


def timed(get: Get, reads: list[str]) -> float:
    """Nanoseconds per read."""
    begun = time.perf_counter()
    for key in reads:
        get(key)
    return (time.perf_counter() - begun) / len(reads) * 1e9


def main() -> None:
    """Run all and print the medians and ratios."""
    say_where("flask-caching", "cachelib", "redis")
    keys = [f"product:{number}" for number in range(KEYS)]
    reads = random.Random(7).choices(keys, weights=[1 / (rank + 1) for rank in range(KEYS)], k=READS)  # noqa: S311
    held = {key: value(number) for number, key in enumerate(keys)}
    with redis_py(keys) as client_side:
        slow = {"Flask-Caching SimpleCache get": flask_caching(keys), "redis-py client-side cache get": client_side}
        fast: dict[str, Get] = {"dict.get": held.get, **tocsin(keys), "an LRU written by hand": lru(keys)}
        contenders: dict[str, Measure] = {name: partial(timed, get, reads) for name, get in fast.items()}
        contenders |= {name: partial(timed, get, reads[:SLOW_READS]) for name, get in slow.items()}
        figures = measured(contenders, ROUNDS)
    show(figures, unit="ns", beside="dict.get")
    for name in slow:
        print(f"{name}: {ratio(figures[name], figures['tocsin get']):.1f} × tocsin get")


if __name__ == "__main__":
    main()
