"""Place: nodes of a sequenced strategy on one server in memory, each with a way to it that can be cut."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from tocsin import Answer, Cache, CacheSettings, Loaded, Names, Policy, Strategy, Unavailable
from tocsin.assembly import Adapters, Sequencing, compose
from tocsin.background import Background
from tocsin.errors import Happened
from tocsin.follower import Rhythm
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.node import PromptTable
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.position import Position
from tocsin.protection import Protection
from tocsin.sequencer import Terms

from tests.tocsin.moved_clock import MovedClock
from tests.tocsin.town import Witness

KEY = "product:1"
NAMES = Names(keys=(KEY,))
LEASE_S = 1.0


class Way:
    """A sequencer that can be cut off."""

    def __init__(self, sequencer: MemorySequencer) -> None:
        self.sequencer = sequencer
        self.cut = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*arguments: Any, **named: Any) -> Any:
            if self.cut:
                raise Unavailable("cut", detail="redis-unreachable", happened=Happened.NO)
            return getattr(self.sequencer, name)(*arguments, **named)

        return ask


class Node:
    """One node: its cache, its way to the server, its table."""

    def __init__(self, place: Place, name: str, background: Background | None = None, **settings: Any) -> None:
        self.witness = Witness()
        self.clock = place.clock
        self.way = Way(MemorySequencer(place.server, place.clock.lock(), lambda _: None))
        self.table = PromptTable(self.way, name=name, clock=place.clock, rhythm=Rhythm(lease_s=LEASE_S))
        plain = MemorySharedLevel(place.store, tells=False, consults_dirty=False)
        chosen: dict[str, Any] = {"l1_ttl_s": 60, "join_within_s": 0.5, **settings}
        self.cache: Cache = compose(
            CacheSettings(redis_url="redis://unused", node=name, strategy=place.strategy, **chosen),
            Adapters(
                shared=plain,
                journal=MemoryJournal(plain, tells=False),
                backplane=MemoryBackplane(place.store),
                sequencing=Sequencing(self.way, self.table),
            ),
            clock=place.clock,
            observer=self.witness,
            protection=Protection(background=background),
        )
        self.cache.start()
        assert self.cache.hearing().hears

    def prove(self) -> None:
        """Let time pass, in steps of a beat, until the node has a lease again after a leap of the clock."""
        for _ in range(100):
            if self.cache.hearing().hears:
                return
            self.clock.move(0.05)
        raise AssertionError("no lease within 5 s of moved time")

    def read(self, value: bytes = b"database", policy: Policy = Policy(), at_least: Position | None = None) -> Answer:  # noqa: B008
        """Read the key; the database has `value`."""
        return self.cache.read(KEY, lambda: Loaded(value), policy, at_least=at_least)


class Place:
    """Nodes on one server, on a clock moved by hand."""

    def __init__(self, strategy: Strategy = Strategy.SEQUENCED) -> None:
        self.strategy = strategy
        self.clock = MovedClock()
        self.store = MemoryStore(self.clock)
        self.server = MemoryServer(now=self.clock.now, terms=Terms(strict=strategy is Strategy.STRICT))
        self.server.begin(0)
        self.clock.move(self.server.terms.writer_s)
        self._names = itertools.count(1)

    def node(self, background: Background | None = None, **settings: Any) -> Node:
        """Return one more node, with a lease."""
        return Node(self, f"node-{next(self._names)}", background, **settings)
