"""Delivery: from an invalidation's being sent to its being obeyed by a worker that is busy, beside what others do.

    python -m bench.delivery

One busy Python process runs in every measurement; who has to notice differs:

- `a raw socket`: a process of its own, idle, that does nothing but receive; the busy one runs beside it. The bound.
- `tocsin, busy worker`: the busy process is the worker. It asks its L1 for one entry again and again, and the moment
  when that is refused counts. Its node's agent follows the log; nothing in the worker has to wake up.
- `redis-py listener thread, busy worker`: the busy process has a thread that listens; it must get the interpreter's
  lock from the loop that waits for it.

Then the slowest of 64: as many processes with redis-py's `listen()`, and the workers of one node, which all read the
one word that the agent stores, so that the last of any number has it when the first has; one that reads all the time
tells.
Microseconds from before the call that invalidates: one writer for all, whose script numbers, logs and publishes. To the
64 subscribers a bare PUBLISH is sent, on a channel of their own.
"""

from __future__ import annotations

import mmap
import multiprocessing
import os
import random
import signal
import socket
import statistics
import struct
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import redis
from tocsin import CacheSettings, Loaded, Policy, connect
from tocsin.clock import SystemClock
from tocsin.generation import CHANGE
from tocsin.generation_file import GenerationFile
from tocsin.redis.connection import RedisConnection
from tocsin.redis.sequenced.assembly import sequencer_on

from bench.rounds import Figure, ratio, say_where
from tests.redis_server import redis_server
from tests.until import until

APART = "bench"
"""The channel of the 64, who should not wake up while the others are measured."""
MESSAGES, ROUNDS, SUBSCRIBERS = 60, 7, 64
WITHIN_S = 5.0
CHANNEL, KEY = "tocsin:{cache}:tocsin", "product:1"
HOUR = Policy(ttl_s=3600.0, l1_ttl_s=3600.0)
Watch = Callable[[Connection, str, str], None]


def now_ns() -> int:
    """The one clock of all processes of a machine."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def raw_socket(told: Connection, url: str, folder: str) -> None:  # noqa: ARG001
    """Receive, and tell when; a child spins meanwhile."""
    while told.recv():
        wire = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2].partition("/")[0])))
        wire.sendall(b"SUBSCRIBE %b\r\n" % CHANNEL.encode())
        wire.recv(65536)
        spinner = multiprocessing.Process(target=_spin, daemon=True)
        spinner.start()
        told.send("ready")
        for _ in range(MESSAGES):
            while KEY.encode() not in wire.recv(65536):
                pass  # a canary
            told.send(now_ns())
        wire.close()
        spinner.kill()
        spinner.join()


def _spin() -> None:
    while True:
        sum(range(100))


def busy_worker(told: Connection, url: str, folder: str) -> None:
    """Ask L1 for one entry until it is refused, and tell when; then load it again."""
    cache = connect(CacheSettings(redis_url=url, node="bench", table_dir=folder, lease_s=5.0))
    cache.start()
    until(lambda: cache.hearing().hears, within_s=20, waiting_for="the agent")
    evidence, local = cache._parts.evidence, cache._parts.local
    assert local is not None
    clock = time.clock_gettime
    while told.recv():
        for number in range(MESSAGES):
            while cache.read(KEY, lambda: Loaded(b"v"), HOUR).layer.value != "l1":
                pass
            entry = local.kept(KEY)
            assert entry is not None
            told.send("ready" if number == 0 else None)
            while evidence.proves(entry, clock(time.CLOCK_BOOTTIME)) is not None:
                pass
            told.send(now_ns())
    cache.stop()


def listener_thread(told: Connection, url: str, folder: str) -> None:  # noqa: ARG001
    """Run Python until a thread that listens has taken the entry away."""
    held: dict[str, bytes] = {}
    subscriber = redis.Redis.from_url(url, socket_timeout=None).pubsub()
    subscriber.subscribe(CHANNEL)
    subscriber.get_message(timeout=1)

    def listen() -> None:
        for message in subscriber.listen():
            if message["type"] == "message":
                held.pop(KEY, None)

    threading.Thread(target=listen, daemon=True).start()
    while told.recv():
        for number in range(MESSAGES):
            held[KEY] = b"v"
            told.send("ready" if number == 0 else None)
            while KEY in held:
                pass
            told.send(now_ns())


class Watcher:
    """One contender: a process that watches, and how it is told."""

    def __init__(self, watch: Watch, url: str, folder: str, publish: Callable[[], Any]) -> None:
        self._publish = publish
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=watch, args=(theirs, url, folder))
        self._process.start()
        self._acknowledges = watch is not raw_socket

    def measure(self) -> float:
        """Return the median of a round, in microseconds."""
        self._pipe.send(True)
        assert self._pipe.recv() == "ready"
        taken = []
        for number in range(MESSAGES):
            if number and self._acknowledges:
                self._pipe.recv()
            time.sleep(random.uniform(0.003, 0.009))  # noqa: S311 - not in step with anything
            begun = now_ns()
            self._publish()
            assert self._pipe.poll(WITHIN_S), "nothing was noticed"
            taken.append((self._pipe.recv() - begun) / 1000)
        return statistics.median(taken)

    def end(self) -> None:
        """Let the process end."""
        self._pipe.send(False)
        self._process.join(5)
        self._process.kill()


def slowest_subscriber(url: str, publish: Callable[[], Any]) -> tuple[Callable[[], float], Callable[[], None]]:
    """Sixty-four processes that listen; how long until the last has heard, and how to end them."""
    heard = mmap.mmap(-1, 8 * SUBSCRIBERS)
    ready = mmap.mmap(-1, SUBSCRIBERS)
    children = []
    for index in range(SUBSCRIBERS):
        child = os.fork()
        if child == 0:
            subscriber = redis.Redis.from_url(url, socket_timeout=None).pubsub()
            subscriber.subscribe(APART)
            for message in subscriber.listen():
                if message["type"] == "message":
                    struct.pack_into("q", heard, 8 * index, now_ns())
                else:
                    ready[index] = 1
            os._exit(0)
        children.append(child)
    until(lambda: ready[:] == b"\1" * SUBSCRIBERS, within_s=30, waiting_for="all to listen")

    def measure() -> float:
        taken = []
        for _ in range(MESSAGES // 3):
            heard[:] = bytes(8 * SUBSCRIBERS)
            time.sleep(0.01)
            begun = now_ns()
            publish()
            until(lambda: 0 not in struct.unpack(f"{SUBSCRIBERS}q", heard[:]), within_s=WITHIN_S, waiting_for="all")
            taken.append((max(struct.unpack(f"{SUBSCRIBERS}q", heard[:])) - begun) / 1000)
        return statistics.median(taken)

    def end() -> None:
        for child in children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    return measure, end


def word_reader(told: Connection, url: str, folder: str) -> None:  # noqa: ARG001
    """Read the word that all workers of the node read, until it has changed, and tell when.

    A worker that runs reads it on its next hit; one that does not, when it runs again. So the last of them is as late
    as the first, and one that reads all the time stands for all of them, however many there are.
    """
    memory = GenerationFile(Path(folder)).map_to_read()
    assert memory is not None
    words = memory.words
    while told.recv():
        for number in range(MESSAGES):
            before = words[CHANGE]
            told.send("ready" if number == 0 else None)
            while words[CHANGE] == before:
                pass
            told.send(now_ns())


def main() -> None:
    """Run all in turn and print."""
    say_where("redis")
    with redis_server() as server, tempfile.TemporaryDirectory() as parent:
        folder = str(Path(parent) / "node")
        settings = CacheSettings(redis_url=server.url, node="writer")
        writer = sequencer_on(RedisConnection(settings, SystemClock()), settings)
        tell = partial(writer.finish, "writer", [f"k:{KEY}"])
        watchers = {
            "a raw socket, beside a busy process": Watcher(raw_socket, server.url, folder, tell),
            "tocsin, busy worker": Watcher(busy_worker, server.url, folder, tell),
            "redis-py listener thread, busy worker": Watcher(listener_thread, server.url, folder, tell),
        }
        taken: dict[str, list[float]] = {name: [] for name in watchers}
        for _ in range(ROUNDS):
            for name in random.sample(list(watchers), len(watchers)):
                taken[name].append(watchers[name].measure())
        workers = Watcher(word_reader, server.url, folder, tell)
        client = redis.Redis.from_url(server.url)
        subscribers, end = slowest_subscriber(server.url, partial(client.publish, APART, KEY))
        last: dict[str, list[float]] = {"tocsin, slowest of 64 workers": [], "redis-py, slowest of 64 subscribers": []}
        try:
            for _ in range(ROUNDS):
                last["tocsin, slowest of 64 workers"].append(workers.measure())
                last["redis-py, slowest of 64 subscribers"].append(subscribers())
        finally:
            end()
        for watcher in (workers, *watchers.values()):
            watcher.end()
    figures = {name: Figure(tuple(each)) for name, each in (taken | last).items()}
    for name, figure in figures.items():
        print(f"{name:40}{figure.median:10,.0f} µs   (rounds: {min(figure.rounds):,.0f} to {max(figure.rounds):,.0f})")
    ours = figures["tocsin, busy worker"]
    print(f"tocsin / raw socket: {ratio(ours, figures['a raw socket, beside a busy process']):.2f} ×")
    print(f"listener thread / tocsin: {ratio(figures['redis-py listener thread, busy worker'], ours):.1f} ×")
    slowest = ratio(figures["redis-py, slowest of 64 subscribers"], figures["tocsin, slowest of 64 workers"])
    print(f"64 subscribers / 64 workers, the slowest: {slowest:.1f} ×")


if __name__ == "__main__":
    main()
