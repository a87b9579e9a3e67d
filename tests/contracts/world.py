"""Worlds: several nodes that share one Redis, or one store in memory; the same contracts are kept in both.

A contract test asks its world for nodes, levels and journals, and never sees which adapters they are. Time passes by
itself in the world of Redis; in memory `until` moves it, so nothing there waits.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Protocol
from uuid import uuid4

from msgspec.structs import replace
from tocsin import Cache, CacheSettings, Loaded, Strategy, WritePath, connect
from tocsin.assembly import Adapters, Sequencing, compose
from tocsin.backplane import Backplane
from tocsin.clock import SystemClock
from tocsin.follower import Rhythm
from tocsin.journal import Journal
from tocsin.locked import Locks
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.locks import MemoryLocks
from tocsin.memory.node import PromptTable
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.sequenced_state import MemoryServer, Tables
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.observer import Unobserved
from tocsin.redis.connection import RedisConnection
from tocsin.redis.ears import SubscribedEar
from tocsin.redis.journal import RedisJournal
from tocsin.redis.listener import RedisListener
from tocsin.redis.locks import RedisLocks
from tocsin.redis.shared_level import RedisSharedLevel
from tocsin.sequencer import Terms
from tocsin.settings import Agent
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

    def locks(self) -> Locks:
        """The locks of one more node."""

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
        self.server = MemoryServer(now=self.clock.now, terms=Terms(), plain=self.store)
        self._names = itertools.count(1)

    def shared(self, *, consults_dirty: bool = False) -> MemorySharedLevel:
        return MemorySharedLevel(self.store, tells=True, consults_dirty=consults_dirty)

    def locks(self) -> MemoryLocks:
        return MemoryLocks(self.shared())

    def journal(self) -> MemoryJournal:
        return MemoryJournal(self.shared(), tells=True)

    def backplane(self) -> MemoryBackplane:
        return MemoryBackplane(self.store)

    def cache(self, strategy: Strategy, write_path: WritePath = WritePath.CACHE_ASIDE, **settings: Any) -> Cache:
        tells, tracks = strategy.tells, strategy is Strategy.TRACKING
        shared = MemorySharedLevel(self.store, tells=tells, consults_dirty=write_path is WritePath.WRITE_BEHIND)
        cache = compose(
            CacheSettings(
                redis_url="redis://unused", node="node", strategy=strategy, write_path=write_path, **settings
            ),
            Adapters(
                shared=shared,
                journal=MemoryJournal(shared, tells=tells),
                backplane=MemoryBackplane(self.store, tracks=tracks, flushes=strategy is not Strategy.PUBSUB),
                sequencing=self._sequencing(strategy),
                locks=MemoryLocks(shared),
            ),
            clock=self.clock,
            observer=Unobserved(),
        )
        cache.start()
        return cache

    def _sequencing(self, strategy: Strategy) -> Sequencing:
        if strategy is Strategy.STRICT and not self.server.terms.strict:
            self.server.terms = Terms(strict=True)
            self.server.begin(0)
            self.clock.move(self.server.terms.writer_s)  # a new epoch may have forgotten writers: nothing is kept yet
        sequencer = MemorySequencer(self.server, self.clock.lock(), lambda _: None)
        name = f"node-{next(self._names)}"
        return Sequencing(sequencer, PromptTable(sequencer, name=name, clock=self.clock, rhythm=Rhythm()))

    def lose_everything(self) -> None:
        self.store.lose_everything()
        self.server.tables = Tables()

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
        self._probes = itertools.count()
        self._clock = SystemClock()
        self._opened: list[Cache | RedisConnection | RedisListener] = []

    def shared(self, *, consults_dirty: bool = False) -> RedisSharedLevel:
        return RedisSharedLevel(self._connection(), node="node", tells=True, consults_dirty=consults_dirty)

    def locks(self) -> RedisLocks:
        return RedisLocks(self._connection())

    def journal(self) -> RedisJournal:
        connection = self._connection()
        shared = RedisSharedLevel(connection, node="node", tells=True, consults_dirty=False)
        return RedisJournal(connection, shared)

    def backplane(self) -> RedisListener:
        settings = self._settings(canary_every_s=0.1)
        ear = SubscribedEar(self._connection(), settings, clock=self._clock)
        listener = RedisListener(ear, settings, clock=self._clock, observer=Unobserved())
        self._opened.append(listener)
        return listener

    def cache(self, strategy: Strategy, write_path: WritePath = WritePath.CACHE_ASIDE, **settings: Any) -> Cache:
        cache = connect(self._settings(strategy=strategy, write_path=write_path, **{"canary_every_s": 0.1, **settings}))
        self._opened.append(cache)
        cache.start()
        until(lambda: cache.hearing().hears, within_s=WITHIN_S, waiting_for="the node to hear its canary")
        if strategy is Strategy.STRICT:
            probe = connect(cache.settings)
            self._opened.append(probe)
            until(lambda: self._keeps(probe), within_s=WITHIN_S, waiting_for="the epoch to be old enough")
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
        base = CacheSettings(
            redis_url=self._server.url, node="node", namespace=self._namespace, agent=Agent.THREAD, writer_s=0.5
        )
        return replace(base, **settings)

    def _keeps(self, cache: Cache) -> bool:
        return cache.read(f"probe:{next(self._probes)}", lambda: Loaded(None)).stored

    def _connection(self) -> RedisConnection:
        connection = RedisConnection(self._settings(), self._clock)
        self._opened.append(connection)
        return connection
