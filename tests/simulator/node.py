"""Node: a cache built by `tocsin.assembly.compose`, an agent that is an actor, and the table between them."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import count

from tocsin.assembly import Adapters, Sequencing, compose
from tocsin.background import Work
from tocsin.backplane import Hear, Hearing
from tocsin.entry import Answer
from tocsin.generation import Generations, Memory
from tocsin.loading import Loader
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.observer import Unobserved
from tocsin.policy import Policy
from tocsin.position import Position
from tocsin.protection import Protection
from tocsin.settings import CacheSettings, Strategy, WritePath
from tocsin.stampede import Stampede

from tests.simulator.following import Following, World
from tests.simulator.scheduler import Scheduler
from tests.simulator.setting import KEY, LEASE_S, Flavour, Setting


@cache
def settings_of(node: str, strategy: Strategy, write_path: WritePath, stampede: Stampede | None) -> CacheSettings:
    """Return the settings of a node; they are made once for all schedules."""
    return CacheSettings(
        redis_url="redis://simulated",
        node=node,
        strategy=strategy,
        write_path=write_path,
        l1_ttl_s=60.0,
        lease_s=LEASE_S,
        join_within_s=0.2,
        stampede=stampede,
    )


class Table:
    """A node's table in the simulator: kept by the node's agent, which is an actor."""

    def __init__(self, memory: Memory) -> None:
        self.generations = Generations(memory)

    def start(self, hear: Hear) -> None:
        """Do nothing."""

    def stop(self, within_s: float) -> None:
        """Do nothing."""

    def renew(self) -> None:
        """Do nothing."""

    def lapsed(self) -> None:
        """Do nothing: the agent goes on by itself."""

    def hearing(self) -> Hearing:
        """Return nothing of interest."""
        return Hearing(hears=True, detail="simulated")


class Actors:
    """Refreshes that run beside their readers, each as an actor of its own."""

    def __init__(self, scheduler: Scheduler, seen: Counter[str]) -> None:
        self._scheduler = scheduler
        self._seen = seen
        self._names: set[str] = set()

    def submit(self, name: str, work: Work) -> bool:
        """Do it soon, unless one of this name is under way."""
        if name in self._names:
            return False
        self._names.add(name)
        self._seen["refreshed"] += 1

        def act() -> None:
            try:
                work()
            finally:
                self._names.discard(name)

        self._scheduler.spawn(act, needed=False)
        return True

    def renew(self) -> None:
        """Do nothing."""

    def stop(self, within_s: float) -> None:
        """Do nothing."""


class Node(Following):
    """One node: a cache, an agent, and a way to the server for each."""

    def __init__(
        self,
        name: str,
        *,
        scheduler: Scheduler,
        server: MemoryServer,
        store: MemoryStore,
        setting: Setting,
        flavour: Flavour,
        seen: Counter[str],
    ) -> None:
        super().__init__(name, World(scheduler, server, store, setting, flavour, seen))
        plain = MemorySharedLevel(store, tells=False, consults_dirty=False)
        identities = (f"{name}{number}" for number in count())
        self.cache = compose(
            settings_of(name, setting.strategy, setting.write_path, flavour.stampede),
            Adapters(
                shared=plain,
                journal=MemoryJournal(plain, tells=False),
                backplane=MemoryBackplane(store),
                sequencing=Sequencing(self.way(), Table(self.memory)),
            ),
            clock=scheduler,
            observer=Unobserved(),
            protection=Protection(
                chance=scheduler.chance, background=Actors(scheduler, seen) if flavour.background else None
            ),
        )
        # In place of random ids: as unique in a schedule, the same in its replay, and cheaper.
        self.cache._parts.shared._identity = lambda: next(identities)  # type: ignore[attr-defined]
        setting.parts.adjust(self.cache)
        self.begin()

    def read(self, load: Loader, at_least: Position | None, policy: Policy) -> Answer:
        """Read the row."""
        return self.cache.read(KEY, load, policy, at_least=at_least)
