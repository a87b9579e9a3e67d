"""Town: nodes in memory on one store and one moved clock, with their parts in reach, so that tests can interleave them.

A loader is called between lookup and fill. So a test that acts inside its loader acts exactly there, without threads:

    node.cache.read("k", during(load_old, write_new))    lookup ─ load old ─ write new, finish ─ fill old
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tocsin import Answer, Cache, CacheSettings, Loaded, Names, Step, Strategy, WritePath
from tocsin.assembly import Adapters, compose
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.observer import LoadOutcome, Spared

from tests.tocsin.moved_clock import MovedClock


@dataclass
class Witness:
    """An observer that remembers what it saw."""

    answers: list[Answer] = field(default_factory=list)
    invalidations: list[tuple[Names, str]] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    misses: list[tuple[Step, ...]] = field(default_factory=list)
    loads: list[tuple[str, float, LoadOutcome]] = field(default_factory=list)
    sparings: list[Spared] = field(default_factory=list)
    glances: int = 0

    def read(self, answer: Answer, seconds: float) -> None:
        assert seconds >= 0
        self.answers.append(answer)

    def missed(self, steps: tuple[Step, ...]) -> None:
        self.misses.append(steps)

    def loaded(self, source: str, seconds: float, outcome: LoadOutcome) -> None:
        self.loads.append((source, seconds, outcome))

    def spared(self, how: Spared) -> None:
        self.sparings.append(how)

    def glanced(self, hits: int) -> None:
        self.glances += hits

    def invalidated(self, names: Names, source: str) -> None:
        self.invalidations.append((names, source))

    def backplane(self, event: str) -> None:
        self.events.append(event)


@dataclass(frozen=True)
class Node:
    """One node's cache, and the parts of it that a test reaches into."""

    cache: Cache
    shared: MemorySharedLevel
    backplane: MemoryBackplane
    witness: Witness


class Town:
    """Nodes that share a store."""

    def __init__(self) -> None:
        self.clock = MovedClock()
        self.store = MemoryStore(self.clock)

    def node(
        self,
        strategy: Strategy = Strategy.PUBSUB,
        write_path: WritePath = WritePath.CACHE_ASIDE,
        *,
        prompt: bool = True,
        **settings: Any,
    ) -> Node:
        """Return one more node, started; without `prompt` its messages wait in its inbox."""
        tells, tracks = strategy.tells, strategy is Strategy.TRACKING
        shared = MemorySharedLevel(self.store, tells=tells, consults_dirty=write_path is WritePath.WRITE_BEHIND)
        backplane = MemoryBackplane(self.store, prompt=prompt, tracks=tracks, flushes=strategy is not Strategy.PUBSUB)
        witness = Witness()
        cache = compose(
            CacheSettings(
                redis_url="redis://unused", node="node", strategy=strategy, write_path=write_path, **settings
            ),
            Adapters(shared=shared, journal=MemoryJournal(shared, tells=tells), backplane=backplane),
            clock=self.clock,
            observer=witness,
        )
        cache.start()
        return Node(cache, shared, backplane, witness)


def found(value: bytes | None, version: int = 1, *tags: str) -> Callable[[], Loaded]:
    """A loader that finds this."""
    return lambda: Loaded(value, version, tags)


def during(load: Callable[[], Loaded], act: Callable[[], object]) -> Callable[[], Loaded]:
    """A loader during which something else happens: after the row was read, before it is filled."""

    def loader() -> Loaded:
        loaded = load()
        act()
        return loaded

    return loader


def unexpected() -> Loaded:
    """A loader that must not be called."""
    raise AssertionError("the database was asked, although a level should have answered")


def write(node: Node, *keys: str, tags: tuple[str, ...] = (), namespaces: tuple[str, ...] = ()) -> None:
    """Let a write of these names be committed and finished on `node`; the row itself is the test's business."""
    with node.cache.writing(Names(keys, tags, namespaces)):
        pass
