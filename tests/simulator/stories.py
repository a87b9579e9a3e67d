"""Stories: interleavings that once broke the protocol, told step by step on the whole core.

A loader is called between lookup and fill, so that what a story does inside a loader happens exactly there. Each story
raises `BrokenPromise` if it comes to its old end; on the core as it is it must not, on its mutant it must.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tocsin.assembly import Adapters, Sequencing, compose
from tocsin.cache import Cache
from tocsin.entry import Answer, Loaded
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.node import PromptTable
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.names import Names
from tocsin.observer import Unobserved
from tocsin.position import Position, later
from tocsin.sequencer import Terms
from tocsin.settings import CacheSettings, Strategy, WritePath

from tests.simulator.record import BrokenPromise
from tests.simulator.setting import LEASE_S, RHYTHM, Parts
from tests.tocsin.moved_clock import MovedClock

KEY, TAG = "product:1", "toys"
NAMES = Names(keys=(KEY,))


@dataclass
class Stage:
    """Three nodes, one server, a row and its version; nothing happens unless the story says so."""

    parts: Parts = field(default_factory=Parts)
    strategy: Strategy = Strategy.SEQUENCED
    version: int = 1

    def __post_init__(self) -> None:
        self.clock = MovedClock()
        self.store = MemoryStore(self.clock)
        self.terms = Terms(strict=self.strategy is Strategy.STRICT)
        self.server = self.parts.server(now=self.clock.now, terms=self.terms)
        self.server.begin(0)
        self.clock.move(self.terms.writer_s)
        self.tables: list[PromptTable] = []
        self.a, self.b, self.c = self._node("a"), self._node("b"), self._node("c")

    def _node(self, name: str) -> Cache:
        plain = MemorySharedLevel(self.store, tells=False, consults_dirty=False)
        sequencer = MemorySequencer(self.server, self.clock.lock(), lambda _: None)
        table = PromptTable(sequencer, name=name, clock=self.clock, rhythm=RHYTHM)
        self.tables.append(table)
        cache = compose(
            CacheSettings(
                redis_url="redis://told",
                node=name,
                strategy=self.strategy,
                write_path=WritePath.CACHE_ASIDE,
                l1_ttl_s=60,
                join_within_s=0.01,
            ),
            Adapters(
                shared=plain,
                journal=MemoryJournal(plain, tells=False),
                backplane=MemoryBackplane(self.store),
                sequencing=Sequencing(sequencer, table),
            ),
            clock=self.clock,
            observer=Unobserved(),
        )
        self.parts.adjust(cache)
        cache.start()
        return cache

    def load(self) -> Loaded:
        """Read the row."""
        return Loaded(b"%d" % self.version, self.version, (TAG,))

    def while_loading(self, act: Callable[[], object]) -> Callable[[], Loaded]:
        """A loader that reads the row, and then lets something happen before it returns."""

        def loader() -> Loaded:
            loaded = self.load()
            act()
            return loaded

        return loader

    def commit(self) -> int:
        """Commit the next version of the row."""
        self.version += 1
        return self.version


@dataclass
class Client:
    """A session: what it has seen, and the watermark that it carries."""

    stage: Stage
    seen: int = 0
    watermark: Position = field(default_factory=Position)

    def read(self, node: Cache, load: Callable[[], Loaded] | None = None) -> Answer:
        """Read, and fail if the answer is older than what this session has seen."""
        at_least = self.watermark if self.watermark.epoch else None
        answer = node.read(KEY, load or self.stage.load, at_least=at_least)
        version = int(answer.value or b"0")
        if version < self.seen:
            raise BrokenPromise(f"P3: had seen {self.seen}, read {version}")
        self.seen = version
        self.watermark = later(self.watermark, answer.watermark or self.watermark)
        return answer


def reads_between_commit_and_finish(stage: Stage) -> None:
    """C2: A loads v1; W commits v2 and has not finished; a session reads v2; A fills v1; the session reads v1."""
    client = Client(stage)

    def meanwhile() -> None:
        with stage.a.writing(NAMES) as write:
            stage.commit()
            client.read(stage.b)
            write.unknown()

    stage.a.read(KEY, stage.while_loading(meanwhile))
    client.read(stage.b)


def refused_fill_in_l1(stage: Stage) -> None:
    """C3: A has v1; B looks up at 0, C writes v2, B loads it, is refused, keeps it; a session goes from B to A."""
    client = Client(stage)
    stage.a.read(KEY, stage.load)
    assert stage.b.hearing().hears
    stage.server.tables.entries.clear()
    stage.tables[0].deaf = stage.tables[1].deaf = True

    def loader() -> Loaded:
        with stage.c.writing(NAMES):
            stage.commit()
        return stage.load()

    stage.b.read(KEY, loader)
    client.read(stage.b)
    client.read(stage.a)


def ends_of_two_writers(stage: Stage) -> None:
    """C8: W1 and W2 are announced; W1 ends; A loads v1; W2 commits v2; a session reads it; A fills v1."""
    client = Client(stage)
    with stage.b.writing(NAMES) as second:
        with stage.b.writing(NAMES):
            pass

        def meanwhile() -> None:
            stage.commit()
            client.read(stage.b)

        stage.a.read(KEY, stage.while_loading(meanwhile))
        client.read(stage.b)
        second.unknown()


def fill_while_a_tag_is_written(stage: Stage) -> None:
    """D, reading 3: a writer of the tag is announced; A looks up and loads v1; it commits v2; A fills v1."""
    client = Client(stage)
    with stage.b.writing(Names(tags=(TAG,))) as bulk:

        def meanwhile() -> None:
            stage.commit()
            client.read(stage.b)

        stage.a.read(KEY, stage.while_loading(meanwhile))
        client.read(stage.b)
        bulk.unknown()


def unfilled_read(stage: Stage) -> None:
    """WmDb: A keeps v1 in L1; v2 is written; a session reads it from the database while another writer is announced."""
    client = Client(stage)
    stage.a.read(KEY, stage.load)
    stage.tables[0].deaf = True
    with stage.b.writing(NAMES):
        stage.commit()
    with stage.b.writing(NAMES) as other:
        client.read(stage.b)
        client.read(stage.a)
        other.unknown()


def commit_after_the_end(stage: Stage) -> None:
    """D3: the commit's outcome is unknown; the writer says it has ended; A loads v1; the commit lands; A fills v1."""
    client = Client(stage)
    with stage.b.writing(NAMES) as write:
        if not stage.parts.finishes_unknown:
            write.unknown()

    def meanwhile() -> None:
        stage.commit()
        client.read(stage.b)

    stage.a.read(KEY, stage.while_loading(meanwhile))
    client.read(stage.b)


def restart_forgets_the_writer(stage: Stage) -> None:
    """D2: W is announced; Redis restarts empty; A loads v1; W commits v2; a session reads it; A fills v1."""
    client = Client(stage)
    with stage.b.writing(NAMES) as write:
        stage.server.restart()

        def meanwhile() -> None:
            stage.commit()
            client.read(stage.b)

        stage.a.read(KEY, stage.while_loading(meanwhile))
        client.read(stage.b)
        write.unknown()


def strict_write_past_a_lease(stage: Stage) -> None:
    """S09: A holds v1 under a lease and hears nothing; a strict write is acknowledged; A must not answer v1."""
    stage.a.read(KEY, stage.load)
    stage.tables[0].deaf = True
    with stage.b.writing(NAMES):
        stage.commit()
    found = int(stage.a.read(KEY, stage.load).value or b"0")
    if found < stage.version:
        raise BrokenPromise(f"P4: {stage.version} was acknowledged, {found} is read")


def cut_off_past_the_lease(stage: Stage) -> None:
    """P2: A hears nothing any more; L after a write it must not answer with what was before."""
    stage.a.read(KEY, stage.load)
    stage.tables[0].deaf = True
    with stage.b.writing(NAMES):
        stage.commit()
    stage.clock.move(LEASE_S)
    found = int(stage.a.read(KEY, stage.load).value or b"0")
    if found < stage.version:
        raise BrokenPromise(f"P2: {stage.version} was acknowledged {LEASE_S} s before, {found} is read")
