"""A stampede for real: 64 threads in 4 processes on one Redis, with the protection that everybody has."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from redis import Redis
from tocsin import CacheSettings, Loaded, Policy, connect

from tests.redis_server import RedisServer

PROCESSES, THREADS, READS_S, LOAD_S = 4, 16, 3.0, 0.1
POLICY = Policy(ttl_s=1.0)


def load_of(counters: Redis) -> Callable[[], Loaded]:
    """A load of 0.1 s that is counted, and that notices another one beside it."""

    def load() -> Loaded:
        if counters.incr("under way") > 1:
            counters.incr("beside each other")
        counters.incr("loads")
        time.sleep(LOAD_S)
        counters.decr("under way")
        return Loaded(b"robot")

    return load


def read_all_the_time(url: str, namespace: str, begin: Any, cold: Any) -> None:
    """One process: its threads read the key at once, then again and again through several of its lives."""
    counters = Redis.from_url(url)
    # Patient where this machine may be slow: a reader that gives Redis up loads by itself, as it should.
    patient: dict[str, Any] = {"join_within_s": 60.0, "socket_timeout_s": 30.0, "connect_timeout_s": 30.0}
    cache = connect(CacheSettings(redis_url=url, node="node/worker", namespace=namespace, **patient))
    cache.start()
    load = load_of(counters)
    wrong = []

    def read() -> None:
        begin.wait(60.0)
        wrong.append(cache.get_or_load("hot", load, POLICY) != b"robot")
        cold.wait(60.0)
        until_s = time.monotonic() + READS_S
        while time.monotonic() < until_s:
            wrong.append(cache.get_or_load("hot", load, POLICY) != b"robot")
            time.sleep(0.01)

    threads = [threading.Thread(target=read) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60.0)
    cache.stop()
    os._exit(any(wrong) or any(thread.is_alive() for thread in threads))


def test_a_hot_key_is_loaded_once_when_cold_and_by_one_at_a_time_ever_after(redis: RedisServer) -> None:
    """Sixty-four threads miss at once and one of them loads; through three lives of the key no two loads overlap.

    How often it is loaded then depends on how fast this machine is, and is shown by `bench.stampede`.
    """
    context = multiprocessing.get_context("fork")
    begin, cold = (context.Barrier(PROCESSES * THREADS + 1) for _ in range(2))
    namespace = uuid4().hex
    with Redis.from_url(redis.url) as counters:
        arguments = (redis.url, namespace, begin, cold)
        children = [context.Process(target=read_all_the_time, args=arguments) for _ in range(PROCESSES)]
        for child in children:
            child.start()
        begin.wait(60.0)
        cold.wait(60.0)
        assert counters.get("loads") == b"1"
        for child in children:
            child.join(60.0)
        assert [child.exitcode for child in children] == [0] * PROCESSES
        assert int(counters.get("loads") or 0) > 1
        assert counters.get("beside each other") is None
