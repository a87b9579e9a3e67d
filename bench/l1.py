"""L1: what a hit in the local level costs, beside a plain dictionary and the local caches of others, in one run.

    python -m bench.l1

Ten thousand keys, read in a Zipf distribution, values of 200 bytes. Every contender runs once a round, in an order
drawn anew, and the median of the rounds counts: on a shared machine only the ratios in one run can be trusted. Tocsin's
hit checks lease, epoch, invalidations and expiry, marks the entry as used, and counts; `SimpleCache` unpickles a copy.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable

from flask import Flask
from flask_caching import Cache as FlaskCache
from tocsin import CacheSettings, Loaded, Strategy
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

KEYS, READS, ROUNDS = 10_000, 50_000, 9
VALUE = b"x" * 200
HOUR = Policy(ttl_s=3600.0, l1_ttl_s=3600.0)

Get = Callable[[str], object]


def tocsin_contenders(keys: list[str]) -> dict[str, Get]:
    """Return ways to hit L1 under `sequenced`, every key in it and proved, beside a follower that beats."""
    clock = SystemClock()
    store = MemoryStore(clock)
    sequencer = MemorySequencer(MemoryServer(now=clock.now, terms=Terms()), clock.lock(), clock.pause)
    table = ThreadTable(sequencer, name="bench", clock=clock, rhythm=Rhythm(lease_s=3600.0))
    plain = MemorySharedLevel(store, tells=False, consults_dirty=False)
    cache = compose(
        CacheSettings(redis_url="redis://unused", node="bench", strategy=Strategy.SEQUENCED),
        Adapters(plain, MemoryJournal(plain, tells=False), MemoryBackplane(store), Sequencing(sequencer, table)),
        clock=clock,
        observer=Tally(),
    )
    cache.start()
    while not cache.hearing().hears:  # the first beat, and its canary
        clock.pause(0.01)

    def load() -> Loaded:
        return Loaded(VALUE)

    for key in keys * 2:
        cache.read(key, load, HOUR)
    return {
        "tocsin get_or_load": lambda key: cache.get_or_load(key, load, HOUR),
        "tocsin read, with its Answer": lambda key: cache.read(key, load, HOUR),
    }


def flask_caching(keys: list[str]) -> Get:
    """Return the `get` of Flask-Caching's cache in the process."""
    application = Flask(__name__)
    cache = FlaskCache(application, config={"CACHE_TYPE": "SimpleCache", "CACHE_THRESHOLD": 2 * KEYS})
    with application.app_context():
        for key in keys:
            cache.set(key, VALUE, timeout=3600)
    context = application.app_context()
    context.push()
    return cache.get


def main() -> None:
    """Run all and print the medians."""
    keys = [f"product:{number}" for number in range(KEYS)]
    reads = random.Random(7).choices(keys, weights=[1 / (rank + 1) for rank in range(KEYS)], k=READS)  # noqa: S311
    held = dict.fromkeys(keys, VALUE)
    contenders: dict[str, Get] = {"dict.get": held.get}
    contenders |= tocsin_contenders(keys)
    contenders["Flask-Caching SimpleCache get"] = flask_caching(keys)
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(ROUNDS):
        for name in random.sample(list(contenders), len(contenders)):
            get = contenders[name]
            begun = time.perf_counter()
            for key in reads:
                get(key)
            taken[name].append((time.perf_counter() - begun) / READS * 1e9)
    floor = statistics.median(taken["dict.get"])
    for name, rounds in taken.items():
        median = statistics.median(rounds)
        print(f"{name:32} {median:8.0f} ns {median / floor:7.1f} × dict.get")


if __name__ == "__main__":
    main()
