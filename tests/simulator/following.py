"""Following: who has a table and an agent that keeps it: a node, or an edge."""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass

from greenlet import greenlet  # type: ignore[import-untyped]
from tocsin.errors import Unavailable
from tocsin.follower import Follower
from tocsin.generation import private_memory
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.memory.store import MemoryStore

from tests.simulator.scheduler import Scheduler
from tests.simulator.setting import RHYTHM, Flavour, Setting
from tests.simulator.stepped_server import SteppedSequencer, Weather


@dataclass
class World:
    """What all places of a schedule have in common."""

    scheduler: Scheduler
    server: MemoryServer
    store: MemoryStore
    setting: Setting
    flavour: Flavour
    seen: Counter[str]


class Following:
    """A place with a way to the server of its own, a table, and an agent."""

    def __init__(self, name: str, world: World) -> None:
        self.name = name
        self.world = world
        self.weather = Weather()
        self.memory = private_memory(16)
        self._beats = 0
        self.agent: greenlet

    def way(self) -> SteppedSequencer:
        """Return a client of the server of this place's own."""
        scheduler = self.world.scheduler
        client = MemorySequencer(self.world.server, scheduler.lock(), lambda _: None)
        return SteppedSequencer(client, scheduler, self.weather, self.world.seen)

    def turn(self) -> None:
        """Let the weather turn from calm to the climate of the schedule."""
        climate = self.world.setting.climate
        self.weather.turn(
            lose_request=climate.lose_request,
            lose_message=climate.lose_message,
            disorder=climate.disorder,
            delay=climate.delay,
        )

    def kill_agent(self) -> None:
        """Kill the agent where it stands, and start another over the table as it is."""
        self.world.scheduler.kill(self.agent)
        follower = self._follower()
        self.agent = self.world.scheduler.spawn(lambda: self._follow(follower), needed=False)

    def begin(self) -> None:
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

        self.agent = self.world.scheduler.spawn(go_on, needed=False)

    def _follow(self, follower: Follower) -> None:
        follower.follow(lambda: False, self.world.scheduler.pause)

    def _follower(self) -> Follower:
        scheduler, parts = self.world.scheduler, self.world.setting.parts
        self._beats += 1_000_000
        return parts.follower(
            feed=self.way(),
            sink=parts.keeper(self.memory, scheduler.now),
            node=f"{self.name}#{self._beats}",
            now=scheduler.now,
            beats=self._beats,
            rhythm=RHYTHM,
        )
