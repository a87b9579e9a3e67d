"""Worlds: several nodes that share one Redis, or one store in memory; the same contracts are kept in both.

A contract test asks its world for nodes, levels and journals, and never sees which adapters they are. Time passes by
itself in the world of Redis; in memory `until` moves it, so nothing there waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from uuid import uuid4

from tocsin import Cache, CacheSettings, Strategy, WritePath, connect
from tocsin.assembly import Adapters, compose
from tocsin.backplane import Backplane
from tocsin.clock import SystemClock
from tocsin.journal import Journal
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.observer import Unobserved
from tocsin.redis.connection import RedisConnection
from tocsin.redis.journal import RedisJournal
from tocsin.redis.listener import RedisListener
from tocsin.redis.shared_level import RedisSharedLevel
from tocsin.shared import SharedLevel

from tests.redis_server import RedisServer
from tests.tocsin.moved_clock import MovedClock
from tests.until import until

WITHIN_S = 5.0


class World(Protocol):
    """What a contract test may ask for."""

    def shared(self, *, consults_dirty: bool = False) -> SharedLevel:
        """The shared level of one more node, which tells what it finishes."""

    def journal(self) -> Journal:
        """The journal of one more node."""

    def backplane(self) -> Backplane:
        """The backplane of one more node, not started."""

    def cache(self, strategy: Strategy, write_path: WritePath = WritePath.CACHE_ASIDE, **settings: Any) -> Cache:
        """The cache of one more node, started and hearing."""

    def lose_everything(self) -> None:
        """Let the state that the nodes share vanish."""

    def until(self, condition: Callable[[], object], waiting_for: str) -> None:
        """Let time pass until the condition holds."""


class MemoryWorld:
    """Nodes on one store in memory."""

    def __init__(self) -> None:
        self.clock = MovedClock()
        self.store = MemoryStore(self.clock)

    def shared(self, *, consults_dirty: bool = False) -> MemorySharedLevel:
        return MemorySharedLevel(self.store, tells=True, consults_dirty=consults_dirty)

    def journal(self) -> MemoryJournal:
        return MemoryJournal(self.shared(), tells=True)

    def backplane(self) -> MemoryBackplane:
        return MemoryBackplane(self.store)

    def cache(self, strategy: Strategy, write_path: WritePath = WritePath.CACHE_ASIDE, **settings: Any) -> Cache:
        tells = strategy is Strategy.PUBSUB
        shared = MemorySharedLevel(self.store, tells=tells, consults_dirty=write_path is WritePath.WRITE_BEHIND)
        cache = compose(
            CacheSettings(
                redis_url="redis://unused", node="node", strategy=strategy, write_path=write_path, **settings
            ),
            Adapters(shared=shared, journal=MemoryJournal(shared, tells=tells), backplane=self.backplane()),
            clock=self.clock,
            observer=Unobserved(),
        )
        cache.start()
        return cache

    def lose_everything(self) -> None:
        self.store.lose_everything()

    def until(self, condition: Callable[[], object], waiting_for: str) -> None:
        for _ in range(10_000):
            if condition():
                return
            self.clock.move(0.01)
        raise AssertionError(f"{waiting_for}: not within 100 s of moved time")


class RedisWorld:
    """Nodes on one real Redis, in a namespace of their own."""

    def __init__(self, server: RedisServer) -> None:
        self._server = server
        self._namespace = uuid4().hex
        self._clock = SystemClock()
        self._opened: list[Cache | RedisConnection | RedisListener] = []

    def shared(self, *, consults_dirty: bool = False) -> RedisSharedLevel:
        return RedisSharedLevel(self._connection(), node="node", tells=True, consults_dirty=consults_dirty)

    def journal(self) -> RedisJournal:
        connection = self._connection()
        shared = RedisSharedLevel(connection, node="node", tells=True, consults_dirty=False)
        return RedisJournal(connection, shared)

    def backplane(self) -> RedisListener:
        listener = RedisListener(
            self._connection(), self._settings(canary_every_s=0.1), clock=self._clock, observer=Unobserved()
        )
        self._opened.append(listener)
        return listener

    def cache(self, strategy: Strategy, write_path: WritePath = WritePath.CACHE_ASIDE, **settings: Any) -> Cache:
        cache = connect(self._settings(strategy=strategy, write_path=write_path, **{"canary_every_s": 0.1, **settings}))
        self._opened.append(cache)
        cache.start()
        until(lambda: cache.hearing().hears, within_s=WITHIN_S, waiting_for="the node to hear its canary")
        return cache

    def lose_everything(self) -> None:
        with self._server.client() as client:
            client.flushall()

    def until(self, condition: Callable[[], object], waiting_for: str) -> None:
        until(condition, within_s=WITHIN_S, waiting_for=waiting_for)

    def close(self) -> None:
        for each in self._opened:
            if isinstance(each, RedisListener):
                each.stop(2.0)
            elif isinstance(each, Cache):
                each.stop()
            else:
                each.close()

    def _settings(self, **settings: Any) -> CacheSettings:
        return CacheSettings(redis_url=self._server.url, node="node", namespace=self._namespace, **settings)

    def _connection(self) -> RedisConnection:
        connection = RedisConnection(self._settings(), self._clock)
        self._opened.append(connection)
        return connection
