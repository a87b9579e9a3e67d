"""Stampede: a hot key, 64 threads in 4 processes: how many loads its expiry costs, and how many of its readers notice.

    python -m bench.stampede

Each thread reads one key and thinks for 30 ms; a load takes 100 ms and the entry lives 2 s. A cold start first, then
some expiries. A get is slow if it took more than half a load. Contenders run one after the other, on one Redis of the
benchmark's own; what counts is loads and slow gets per expiry, which a noisy machine changes little. dogpile.cache with
its distributed lock and Flask-Caching's `memoize` are the peers.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.synchronize
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from redis import Redis
from tocsin import CacheSettings, Loaded, Policy, Stampede, Strategy, connect

from tests.redis_server import redis_server

PROCESSES, THREADS = 4, 16
THINK_S, LOAD_S, TTL_S = 0.03, 0.1, 2.0
SLOW_S = LOAD_S / 2
EXPIRIES = 5
KEY = "hot"

Get = Callable[[], object]
Load = Callable[[], bytes]


@dataclass(frozen=True)
class Seen:
    """One thread's slow gets: when each began."""

    cold: int
    later: int


def flask_memoize(url: str, namespace: str, load: Load) -> Get:
    """Flask-Caching on Redis, its `memoize`."""
    from flask import Flask
    from flask_caching import Cache

    app = Flask(namespace)
    app.config.update(CACHE_TYPE="RedisCache", CACHE_REDIS_URL=url, CACHE_KEY_PREFIX=namespace)
    cache = Cache(app)
    function = cache.memoize(timeout=round(TTL_S))(lambda: load())

    def get() -> object:
        with app.app_context():
            return function()

    return get


def dogpile(url: str, namespace: str, load: Load) -> Get:
    """dogpile.cache with its distributed lock."""
    from dogpile.cache import make_region

    region = make_region().configure(
        "dogpile.cache.redis",
        expiration_time=round(TTL_S),
        arguments={"url": url, "distributed_lock": True, "thread_local_lock": False, "lock_timeout": 5},
    )
    return lambda: region.get_or_create(f"{namespace}:{KEY}", load)


def tocsin(strategy: Strategy, stampede: Stampede, threads: int = 0) -> Callable[[str, str, Load], Get]:
    """Tocsin with one protection."""

    def made(url: str, namespace: str, load: Load) -> Get:
        cache = connect(
            CacheSettings(
                redis_url=url,
                node=f"bench/{os.getpid()}",
                namespace=namespace,
                strategy=strategy,
                stampede=stampede,
                refresh_threads=threads,
            )
        )
        cache.start()
        policy = Policy(ttl_s=TTL_S)
        return lambda: cache.get_or_load(KEY, lambda: Loaded(load()), policy)

    return made


CONTENDERS: dict[str, Callable[[str, str, Load], Get]] = {
    "Flask-Caching memoize, RedisCache": flask_memoize,
    "dogpile.cache, distributed lock": dogpile,
    "tocsin ttl, none": tocsin(Strategy.TTL, Stampede.NONE),
    "tocsin ttl, single-flight": tocsin(Strategy.TTL, Stampede.SINGLE_FLIGHT),
    "tocsin ttl, redis-lock": tocsin(Strategy.TTL, Stampede.REDIS_LOCK),
    "tocsin sequenced, fill-token": tocsin(Strategy.SEQUENCED, Stampede.FILL_TOKEN),
    "tocsin sequenced, xfetch": tocsin(Strategy.SEQUENCED, Stampede.XFETCH),
    "tocsin sequenced, refresh-ahead (default)": tocsin(Strategy.SEQUENCED, Stampede.REFRESH_AHEAD),
    "tocsin sequenced, refresh-ahead, 2 threads": tocsin(Strategy.SEQUENCED, Stampede.REFRESH_AHEAD, 2),
}


def process(
    name: str,
    url: str,
    namespace: str,
    ready: multiprocessing.synchronize.Barrier,
    results: Any,
) -> None:
    """Read with sixteen threads until the expiries are over; report the slow gets."""
    counter = Redis.from_url(url)

    def load() -> bytes:
        counter.incr(f"{namespace}:loads")
        time.sleep(LOAD_S)
        return b"x" * 200

    get = CONTENDERS[name](url, namespace, load)
    time.sleep(1.0)  # an agent, where there is one, proves itself meanwhile
    seen: list[Seen] = []

    def reader() -> None:
        cold = later = 0
        ready.wait()
        until = time.monotonic() + TTL_S * (EXPIRIES + 0.5)
        first = True
        while (begun := time.monotonic()) < until:
            get()
            slow = time.monotonic() - begun > SLOW_S
            cold += slow and first
            later += slow and not first
            first = False
            time.sleep(THINK_S)
        seen.append(Seen(cold, later))

    threads = [threading.Thread(target=reader) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put((sum(each.cold for each in seen), sum(each.later for each in seen)))
    results.close()
    results.join_thread()
    os._exit(0)


def run(name: str, url: str) -> tuple[int, float, int, float]:
    """Return loads and slow gets of the cold start, then per expiry."""
    namespace = uuid4().hex
    context = multiprocessing.get_context("fork")
    ready = context.Barrier(PROCESSES * THREADS + 1)
    results: Any = context.Queue()
    arguments = (name, url, namespace, ready, results)
    children = [context.Process(target=process, args=arguments) for _ in range(PROCESSES)]
    for child in children:
        child.start()
    ready.wait()
    time.sleep(TTL_S / 4)
    with Redis.from_url(url) as client:
        cold_loads = int(client.get(f"{namespace}:loads") or 0)
        slow = [results.get(timeout=TTL_S * (EXPIRIES + 10)) for _ in children]
        for child in children:
            child.join(10.0)
        loads = int(client.get(f"{namespace}:loads") or 0) - cold_loads
    return cold_loads, loads / EXPIRIES, sum(cold for cold, _ in slow), sum(later for _, later in slow) / EXPIRIES


def main() -> None:
    """Print a table."""
    print(f"{PROCESSES} processes of {THREADS} threads, think {THINK_S * 1000:.0f} ms, load {LOAD_S * 1000:.0f} ms,")
    print(f"time to live {TTL_S:g} s; slow: above {SLOW_S * 1000:.0f} ms\n")
    print(f"{'':44}{'cold start':>16}{'each expiry':>20}")
    print(f"{'':44}{'loads':>8}{'slow':>8}{'loads':>10}{'slow':>10}")
    with redis_server() as server:
        for name in CONTENDERS:
            cold_loads, loads, cold_slow, slow = run(name, server.url)
            print(f"{name:44}{cold_loads:8}{cold_slow:8}{loads:10.1f}{slow:10.1f}", flush=True)


if __name__ == "__main__":
    main()
