"""L2: what a read costs that L1 can't answer and Redis can, beside redis-py's GET of the same bytes, in one run.

    python -m bench.l2 [--tcp]

A server of the benchmark's own, over a unix socket (or TCP on the loopback), values of 200 bytes. Every request goes
by `tocsin's connection`; `an entry with its position` is what a read asks for, decoded. `tocsin get` is the public call
with an L1 that keeps nothing: it adds the look into L1, the proof by the node's table, the copy and the observer.
A bare socket with hiredis is the bound, and keeps nothing in order.
"""

from __future__ import annotations

import argparse
import random
import socket
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import hiredis
import redis
from flask import Flask
from flask_caching import Cache as FlaskCache
from tocsin import Cache, CacheSettings, Loaded, Policy, connect
from tocsin.clock import SystemClock
from tocsin.redis.connection import RedisConnection
from tocsin.redis.sequenced.assembly import sequencer_on
from tocsin.settings import Agent

from bench.l1 import value
from bench.rounds import Measure, measured, ratio, say_where, show
from tests.redis_server import RedisServer, redis_server
from tests.until import until

KEYS, READS, ROUNDS, BATCH = 1_000, 500, 15, 100
HOUR = Policy(ttl_s=3600.0)
Get = Callable[[str], object]


def tocsin(url: str, keys: list[str]) -> tuple[Cache, RedisConnection, Callable[[list[str]], object]]:
    """A cache whose L1 keeps nothing, all in L2; the connection alone; and entries as they lie, by one key or many."""
    settings = CacheSettings(redis_url=url, node="bench", agent=Agent.THREAD, lease_s=60.0, l1_max_bytes=1)
    cache = connect(settings)
    cache.start()
    until(lambda: cache.hearing().hears, within_s=10, waiting_for="the lease")
    for number, key in enumerate(keys):
        cache.read(key, lambda number=number: Loaded(value(number), 1), HOUR)  # type: ignore[misc]
    connection = RedisConnection(settings, SystemClock())
    sequencer = sequencer_on(connection, settings)
    return cache, connection, lambda keys: sequencer.glimpse(keys)


def flask_caching(url: str, keys: list[str]) -> Get:
    """Flask-Caching's `get` on Redis."""
    application = Flask(__name__)
    cache = FlaskCache(application, config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_URL": url})
    application.app_context().push()
    for number, key in enumerate(keys):
        cache.set(key, value(number), timeout=3600)
    get: Get = cache.get
    return get


def bare_socket(server: RedisServer, path: str) -> Get:
    """GET over a socket and hiredis: what nobody can be faster than from Python."""
    line = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
    line.connect(path or ("127.0.0.1", server.port))
    if not path:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reader = hiredis.Reader()

    def get(key: str) -> object:
        line.sendall(hiredis.pack_command(("GET", key)))  # type: ignore[arg-type]
        while True:
            reader.feed(line.recv(65536))
            if (reply := reader.gets()) is not False:
                return reply

    return get


def timed(get: Get, keys: list[str]) -> float:
    """Microseconds per read."""
    begun = time.perf_counter()
    for key in keys:
        get(key)
    return (time.perf_counter() - begun) / len(keys) * 1e6


def timed_batch(get_many: Callable[[list[str]], object], keys: list[str]) -> float:
    """Microseconds per key, a hundred at a time."""
    begun = time.perf_counter()
    for number in range(0, len(keys), BATCH):
        get_many(keys[number : number + BATCH])
    return (time.perf_counter() - begun) / len(keys) * 1e6


def main() -> None:
    """Run all and print the medians and ratios."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--tcp", action="store_true")
    tcp = options.parse_args().tcp
    say_where("redis", "hiredis", "flask-caching")
    keys = [f"product:{number}" for number in range(KEYS)]
    reads = random.Random(7).sample(keys, READS)  # noqa: S311 - a benchmark has no secrets
    with tempfile.TemporaryDirectory() as folder, redis_server("--unixsocket", str(Path(folder) / "s")) as server:
        path = "" if tcp else str(Path(folder) / "s")
        url = server.url if tcp else f"unix://{path}"
        client = redis.Redis.from_url(url)
        for number, key in enumerate(keys):
            client.set(key, value(number))
        cache, connection, way = tocsin(url, keys)
        assert cache.get(keys[0]) == value(0)
        singles: dict[str, Get] = {
            "redis-py GET": client.get,
            "a bare socket's GET": bare_socket(server, path),
            "tocsin's connection, GET": lambda key: connection.request("GET", key),
            "tocsin, an entry with its position": lambda key: way([key]),
            "tocsin get, L1 keeps nothing": cache.get,
            "Flask-Caching RedisCache get": flask_caching(url, keys),
        }
        batches: dict[str, Callable[[list[str]], object]] = {
            "redis-py MGET, a key of 100": client.mget,
            "tocsin, entries with positions, a key of 100": way,
            "tocsin get_many, a key of 100": cache.get_many,
        }
        contenders: dict[str, Measure] = {name: partial(timed, get, reads) for name, get in singles.items()}
        contenders |= {name: partial(timed_batch, get, reads) for name, get in batches.items()}
        figures = measured(contenders, ROUNDS)
        show(figures, unit="µs", beside="redis-py GET", digits=1)
        flask = figures["Flask-Caching RedisCache get"]
        print(f"Flask-Caching RedisCache get: {ratio(flask, figures['tocsin get, L1 keeps nothing']):.1f} × tocsin get")
        cache.stop()
        client.close()


if __name__ == "__main__":
    main()
