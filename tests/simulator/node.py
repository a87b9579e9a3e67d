"""Node: a cache built by `tocsin.assembly.compose`, an agent that is an actor, and the table between them."""

from __future__ import annotations

import contextlib
from collections import Counter
from functools import cache
from itertools import count

from greenlet import greenlet  # type: ignore[import-untyped]
from tocsin.assembly import Adapters, Sequencing, compose
from tocsin.backplane import Hear, Hearing
from tocsin.errors import Unavailable
from tocsin.follower import Follower
from tocsin.generation import Generations, Memory, private_memory
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.observer import Unobserved
from tocsin.settings import CacheSettings, Strategy, WritePath

from tests.simulator.scheduler import Scheduler
from tests.simulator.setting import LEASE_S, RHYTHM, Setting
from tests.simulator.stepped_server import SteppedSequencer, Weather


@cache
def settings_of(node: str, strategy: Strategy, write_path: WritePath) -> CacheSettings:
    """Return the settings of a node; they are made once for all schedules."""
    return CacheSettings(
        redis_url="redis://simulated",
        node=node,
        strategy=strategy,
        write_path=write_path,
        l1_ttl_s=60.0,
        lease_s=LEASE_S,
        join_within_s=0.2,
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


class Node:
    """One node: a cache, an agent, and a way to the server for each."""

    def __init__(
        self,
        name: str,
        *,
        scheduler: Scheduler,
        server: MemoryServer,
        store: MemoryStore,
        setting: Setting,
        seen: Counter[str],
    ) -> None:
        self.name = name
        self._scheduler = scheduler
        self._server = server
        self._setting = setting
        self._seen = seen
        self.weather = Weather()
        self.memory = private_memory(16)
        plain = MemorySharedLevel(store, tells=False, consults_dirty=False)
        sequencer = self.way()
        identities = (f"{name}{number}" for number in count())
        self.cache = compose(
            settings_of(name, setting.strategy, setting.write_path),
            Adapters(
                shared=plain,
                journal=MemoryJournal(plain, tells=False),
                backplane=MemoryBackplane(store),
                sequencing=Sequencing(sequencer, Table(self.memory)),
            ),
            clock=scheduler,
            observer=Unobserved(),
        )
        # In place of random ids: as unique in a schedule, the same in its replay, and cheaper.
        self.cache._parts.shared._identity = lambda: next(identities)  # type: ignore[attr-defined]
        setting.parts.adjust(self.cache)
        self._beats = 0
        self.agent = self._begin()

    def way(self) -> SteppedSequencer:
        """Return a client of the server of this node's own."""
        client = MemorySequencer(self._server, self._scheduler.lock(), lambda _: None)
        return SteppedSequencer(client, self._scheduler, self.weather, self._seen)

    def turn(self) -> None:
        """Let the weather turn from calm to the climate of the schedule."""
        climate = self._setting.climate
        self.weather.turn(
            lose_request=climate.lose_request,
            lose_message=climate.lose_message,
            disorder=climate.disorder,
            delay=climate.delay,
        )

    def kill_agent(self) -> None:
        """Kill the agent where it stands, and start another over the table as it is."""
        self._scheduler.kill(self.agent)
        follower = self._follower()
        self.agent = self._scheduler.spawn(lambda: self._follow(follower), needed=False)

    def _begin(self) -> greenlet:
        """Start the first agent before the schedule begins, so that it begins with a lease: in calm, and in no step.

        A schedule would else spend its first third on waiting for one.
        """
        follower = self._follower()
        follower.take_over()
        subscription = self.way().subscribe()
        follower.catch_up()
        for _ in ("beat and canary", "canary heard", "lease"):
            follower.turn(subscription)

        def go_on() -> None:
            with contextlib.suppress(Unavailable):
                while True:
                    follower.turn(subscription)
            subscription.close()
            self._follow(follower)

        return self._scheduler.spawn(go_on, needed=False)

    def _follow(self, follower: Follower) -> None:
        follower.follow(lambda: False, self._scheduler.pause)

    def _follower(self) -> Follower:
        scheduler, parts = self._scheduler, self._setting.parts
        self._beats += 1_000_000
        return parts.follower(
            feed=self.way(),
            sink=parts.keeper(self.memory, scheduler.now),
            node=f"{self.name}#{self._beats}",
            now=scheduler.now,
            beats=self._beats,
            rhythm=RHYTHM,
        )
