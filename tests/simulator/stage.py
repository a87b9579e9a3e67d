"""Stage: a few nodes on which a story is told step by step, by one thread, on the core as it is or on a mutant.

Nothing happens unless the story says so. A story takes the moments between the core's own steps by three means: a
loader runs between lookup and fill; `after_fill` and `after_beat` run between the server's work and its reply; and a
reader that waits at a gate runs `while_waiting`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from tocsin.assembly import Adapters, Sequencing, compose
from tocsin.backplane import Hear
from tocsin.cache import Cache
from tocsin.clock import Gate
from tocsin.entry import Answer, Loaded
from tocsin.generation import Memory
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.node import PromptTable
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.names import Names
from tocsin.observer import Unobserved
from tocsin.position import Position, later
from tocsin.sequencer import Feed, Terms
from tocsin.settings import CacheSettings, Strategy, WritePath

from tests.simulator.record import BrokenPromise
from tests.simulator.setting import RHYTHM, Parts
from tests.tocsin.moved_clock import MovedClock

KEY, TAG = "product:1", "toys"
NAMES = Names(keys=(KEY,))
TAGGED = Names(tags=(TAG,))


class StageClock(MovedClock):
    """A clock that stands. Whoever waits at a gate, or pauses, lets the story go on."""

    def __init__(self) -> None:
        super().__init__()
        self.while_waiting: Callable[[], object] = bool
        self.while_pausing: Callable[[], object] = bool

    def pause(self, seconds: float) -> None:
        """Let the pause pass, and others do what is theirs."""
        self.move(seconds)
        self.while_pausing()

    def gate(self) -> Gate:
        return StageGate(self)


class StageGate:
    """A gate at which nobody stands still."""

    def __init__(self, clock: StageClock) -> None:
        self._clock = clock
        self._is_open = False

    def open(self) -> None:
        """Let all pass."""
        self._is_open = True

    def wait(self, timeout_s: float) -> bool:
        """Let the story go on, then return whether it has opened the gate."""
        if not self._is_open:
            self._clock.while_waiting()
        return self._is_open


class StageTable(PromptTable):
    """A node's table, kept by the parts that the story is told with."""

    def __init__(self, feed: Feed, *, parts: Parts, name: str, clock: StageClock) -> None:
        self._parts = parts
        super().__init__(feed, name=name, clock=clock, rhythm=RHYTHM)

    def renew(self) -> None:
        """Begin anew."""
        super().renew()
        kept = self._keeper
        self._keeper = self._parts.keeper(Memory(kept._words, kept._moments, kept._slots), self._clock.now)

    def start(self, hear: Hear) -> None:
        """Begin to follow."""
        super().start(hear)
        follower = self._follower
        assert follower is not None
        follower.__class__ = self._parts.follower
        turn = follower.turn
        # `deaf` may come in the middle of a turn, as a pause of the process does.
        follower.turn = lambda subscription: not self.deaf and turn(subscription)  # type: ignore[method-assign]


@dataclass
class Stage:
    """Three nodes, one server, a row and its version."""

    parts: Parts = field(default_factory=Parts)
    strategy: Strategy = Strategy.SEQUENCED
    write_path: WritePath = WritePath.CACHE_ASIDE
    version: int = 1

    def __post_init__(self) -> None:
        self.clock = StageClock()
        self.store = MemoryStore(self.clock)
        self.terms = Terms(strict=self.strategy is Strategy.STRICT)
        self.server = self.parts.server(now=self.clock.now, terms=self.terms, plain=self.store)
        self.server.begin(0)
        self.clock.move(self.terms.writer_s)
        self.tables: list[StageTable] = []
        self.sequencers: list[MemorySequencer] = []
        self._ids = count()
        self.clock.while_pausing = lambda: [table.generations for table in self.tables]
        self.a, self.b, self.c = self._node("a"), self._node("b"), self._node("c")

    def _node(self, name: str) -> Cache:
        plain = MemorySharedLevel(self.store, tells=False, consults_dirty=False)
        sequencer = MemorySequencer(self.server, self.clock.lock(), lambda _: None)
        table = StageTable(sequencer, parts=self.parts, name=name, clock=self.clock)
        self.tables.append(table)
        self.sequencers.append(sequencer)
        cache = compose(
            CacheSettings(
                redis_url="redis://told",
                node=name,
                strategy=self.strategy,
                write_path=self.write_path,
                l1_ttl_s=60,
                join_within_s=0.01,
            ),
            Adapters(
                shared=plain,
                journal=self.parts.journal(plain, tells=False),
                backplane=MemoryBackplane(self.store),
                sequencing=Sequencing(sequencer, table),
            ),
            clock=self.clock,
            observer=Unobserved(),
        )
        cache._parts.shared._identity = lambda: f"{name}{next(self._ids)}"  # type: ignore[attr-defined]
        self.parts.adjust(cache)
        cache.start()
        return cache

    def load(self) -> Loaded:
        """Read the row."""
        return Loaded(b"%d" % self.version, self.version, (TAG,))

    def while_loading(self, act: Callable[[], object]) -> Callable[[], Loaded]:
        """Return a loader that reads the row, and then lets something happen before it returns."""

        def loader() -> Loaded:
            loaded = self.load()
            act()
            return loaded

        return loader

    def when_answered(self, node: int, step: str, act: Callable[[], object]) -> None:
        """Let `act` happen once, after the server has done this step for a node and before its reply arrives."""
        sequencer = self.sequencers[node]
        answer = getattr(sequencer, step)

        def answered_late(*args: object, **named: object) -> object:
            reply = answer(*args, **named)
            setattr(sequencer, step, answer)
            act()
            return reply

        setattr(sequencer, step, answered_late)

    def lose_messages(self) -> None:
        """Lose what was told and nobody has heard yet."""
        for inbox in self.server.inboxes:
            inbox.clear()

    def sleep(self, seconds: float) -> None:
        """Let the system sleep: what ticks on is CLOCK_BOOTTIME."""
        if self.parts.boottime:
            self.clock.move(seconds)

    def commit(self) -> int:
        """Commit the next version of the row."""
        self.version += 1
        return self.version

    def write(self, node: Cache, names: Names = NAMES) -> Position:
        """Write the next version, whole, and return the watermark of the receipt."""
        with node.writing(names) as write:
            self.commit()
        assert write.receipt.watermark is not None
        return write.receipt.watermark

    def agrees(self, node: Cache, promise: str) -> None:
        """Fail if a read does not return the row as it is."""
        found = node.read(KEY, self.load).version
        if found != self.version:
            raise BrokenPromise(f"{promise}: the row is at {self.version}, and {found} is read")


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
        if answer.version < self.seen:
            raise BrokenPromise(f"P3: had seen {self.seen}, read {answer.version}")
        self.saw(answer.version, answer.watermark)
        return answer

    def write(self, node: Cache) -> None:
        """Write the next version, whole."""
        watermark = self.stage.write(node)
        self.saw(self.stage.version, watermark)

    def saw(self, version: int, watermark: Position | None) -> None:
        """Remember what was seen."""
        self.seen = version
        self.watermark = later(self.watermark, watermark or self.watermark)
