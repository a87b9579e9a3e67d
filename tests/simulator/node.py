"""Node: a cache built by `tocsin.assembly.compose`, an agent that is an actor, and the table between them."""

from __future__ import annotations

from collections import Counter

from tocsin.assembly import Adapters, Sequencing, compose
from tocsin.backplane import Hear, Hearing
from tocsin.generation import Generations, Memory, private_memory
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import MemoryStore
from tocsin.observer import Unobserved
from tocsin.settings import CacheSettings

from tests.simulator.scheduler import Scheduler
from tests.simulator.setting import LEASE_S, RHYTHM, Setting
from tests.simulator.stepped_server import SteppedSequencer, Weather


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
        climate = setting.climate
        self.weather = Weather(
            lose_request=climate.lose_request,
            lose_message=climate.lose_message,
            disorder=climate.disorder,
            delay=climate.delay,
        )
        self.memory = private_memory(16)
        plain = MemorySharedLevel(store, tells=False, consults_dirty=False)
        settings = CacheSettings(
            redis_url="redis://simulated",
            node=name,
            strategy=setting.strategy,
            write_path=setting.write_path,
            l1_ttl_s=60.0,
            lease_s=LEASE_S,
            join_within_s=0.2,
        )
        sequencer = self.way()
        self.cache = compose(
            settings,
            Adapters(
                shared=plain,
                journal=MemoryJournal(plain, tells=False),
                backplane=MemoryBackplane(store),
                sequencing=Sequencing(sequencer, Table(self.memory)),
            ),
            clock=scheduler,
            observer=Unobserved(),
        )
        setting.parts.adjust(self.cache)
        self._beats = 0
        self.start_agent()

    def way(self) -> SteppedSequencer:
        """Return a client of the server of this node's own."""
        client = MemorySequencer(self._server, self._scheduler.lock(), lambda _: None)
        return SteppedSequencer(client, self._scheduler, self.weather, self._seen)

    def start_agent(self) -> None:
        """Start an agent over the table as it is: a new node's, or one whose agent was killed."""
        scheduler, parts = self._scheduler, self._setting.parts
        self._beats += 1_000_000
        follower = parts.follower(
            feed=self.way(),
            sink=parts.keeper(self.memory, scheduler.now),
            node=f"{self.name}#{self._beats}",
            now=scheduler.now,
            beats=self._beats,
            rhythm=RHYTHM,
        )
        self.agent = scheduler.spawn(lambda: follower.follow(lambda: False, scheduler.pause), needed=False)

    def kill_agent(self) -> None:
        """Kill the agent where it stands, and start another."""
        self._scheduler.kill(self.agent)
        self.start_agent()
