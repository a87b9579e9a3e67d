"""The worlds of the sequenced contract: a server in memory, and a real Redis, restarted with or without its data."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Iterator
from typing import Protocol

import pytest
from redis import Redis
from tocsin.entry import Loaded
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.sequenced_state import MemoryServer, Tables
from tocsin.message import tag_name
from tocsin.redis.line import Line
from tocsin.redis.sequenced.run import BoundRun
from tocsin.redis.sequenced.sequencer import RedisSequencer
from tocsin.sequencer import Feed, Put, Sequencer, Terms

from tests.redis_server import RedisServer, redis_server

TERMS = Terms(writer_s=30.0, token_s=30.0)


class Client(Sequencer, Feed, Protocol):
    """What one process has: both ports."""


class SequencedWorld(Protocol):
    """A server and its clients."""

    def client(self, terms: Terms = TERMS) -> Client:
        """Return a client of its own, as another process would have."""

    def save(self) -> None:
        """Take a snapshot."""

    def restart(self, *, from_snapshot: bool = False) -> None:
        """Restart the server, empty or from the last snapshot."""

    def flush(self) -> None:
        """Remove every key, as FLUSHALL does."""

    def lose(self, name: str) -> None:
        """Remove one key of the state: `epoch`, `seq` or `tags`."""

    def evict(self, key: str) -> None:
        """Remove the entry and the token of `key`, as an eviction may."""

    def close(self) -> None:
        """Close what was opened."""


class MemorySequencedWorld:
    """A server in memory, on the real clock."""

    def __init__(self) -> None:
        self._server = MemoryServer(now=time.monotonic, terms=TERMS)
        self._snapshot = Tables()

    def client(self, terms: Terms = TERMS) -> Client:
        """Return a client; the last client's terms hold for all."""
        self._server.terms = terms
        return MemorySequencer(self._server, threading.Lock(), lambda _: None)

    def save(self) -> None:
        """Take a snapshot."""
        self._snapshot = self._server.snapshot()

    def restart(self, *, from_snapshot: bool = False) -> None:
        """Restart."""
        self._server.restart(self._snapshot if from_snapshot else None)

    def flush(self) -> None:
        """Remove every key; the run goes on."""
        self._server.tables = Tables()

    def lose(self, name: str) -> None:
        """Remove one key."""
        tables = self._server.tables
        match name:
            case "epoch":
                tables.epoch = 0
            case "seq":
                tables.sequence = None
            case _:
                tables.sentinel = 0
                tables.marks.clear()

    def evict(self, key: str) -> None:
        """Evict."""
        self._server.tables.entries.pop(key, None)
        self._server.tables.tokens.pop(key, None)

    def close(self) -> None:
        """Do nothing."""


class RedisSequencedWorld:
    """A namespace of its own in a real Redis."""

    def __init__(self, server: RedisServer, *, protocol: int = 2) -> None:
        self._server = server
        self._protocol = protocol
        self.prefix = f"tocsin:{{{uuid.uuid4().hex[:8]}}}:"
        self._clients: list[Redis] = []

    def redis(self) -> Redis:
        """Return a redis-py client of the test's own."""
        client = Redis.from_url(self._server.url, protocol=self._protocol, socket_timeout=5)
        self._clients.append(client)
        return client

    def client(self, terms: Terms = TERMS) -> Client:
        """Return a client."""
        redis = self.redis()
        run = BoundRun(redis.execute_command, self.prefix)
        pool = redis.connection_pool

        def listen() -> Line:
            return Line(pool.connection_class(**pool.connection_kwargs), timeout_s=5)

        return RedisSequencer(run, terms, listen, lambda *asked: [run._request(*each) for each in asked])

    def save(self) -> None:
        """Take a snapshot."""
        self.redis().save()

    def restart(self, *, from_snapshot: bool = False) -> None:
        """Restart; without a snapshot the dump is removed first."""
        self._server.stop()
        if not from_snapshot:
            (self._server.folder / "dump.rdb").unlink(missing_ok=True)
        self._server.start()

    def flush(self) -> None:
        """Remove every key."""
        self.redis().flushall()

    def lose(self, name: str) -> None:
        """Remove one key."""
        self.redis().delete(f"{self.prefix}{name}")

    def evict(self, key: str) -> None:
        """Evict."""
        self.redis().delete(f"{self.prefix}entry:{key}", f"{self.prefix}fill:{key}")

    def close(self) -> None:
        """Close the clients."""
        for client in self._clients:
            client.close()


KINDS = ("memory", "redis", "redis-resp3")
RESTARTABLE = ("memory", "redis-own")


def opened(request: pytest.FixtureRequest) -> Iterator[SequencedWorld]:
    """Yield a world of the kind that the fixture asks for, and close it; `redis-own` may be restarted."""
    if request.param == "memory":
        yield MemorySequencedWorld()
        return
    with contextlib.ExitStack() as stack:
        if request.param == "redis-own":
            server = stack.enter_context(redis_server())
        else:
            server = request.getfixturevalue("redis_for_contracts")
        world = RedisSequencedWorld(server, protocol=3 if request.param == "redis-resp3" else 2)
        stack.callback(world.close)
        yield world


def put(value: str, *, tags: tuple[str, ...] = (), ttl_s: float = 30.0, stale_s: float = 0) -> Put:
    """Return a value of product 1 to keep."""
    return Put("product:1", Loaded(value.encode(), 1, tags), tuple(map(tag_name, tags)), ttl_s, stale_s)
