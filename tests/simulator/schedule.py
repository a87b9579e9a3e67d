"""Schedule: one run of the whole core through a random interleaving of everything that can happen to it.

    two nodes (cache, agent, table) ── requests that may be lost ──▶ one server that may restart
    an edge, in some schedules, which keeps answers       one row in a database, an outbox, a relay
    readers with sessions, writers that may stall or die, and a nemesis

The core is unchanged: `tocsin.assembly.compose` builds it on the memory adapters, and its ports take steps. What always
holds: the seed decides everything, so a schedule that broke a promise is replayed by its seed.
"""

from __future__ import annotations

from collections import Counter

from tocsin.entry import Loaded
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.store import MemoryStore
from tocsin.message import Kind
from tocsin.names import Names
from tocsin.position import Position
from tocsin.sequencer import Busy, Given, Permitted, Terms, Writing
from tocsin.settings import Strategy, WritePath

from tests.simulator.edge import Edge
from tests.simulator.node import Node
from tests.simulator.record import BrokenPromise, Record
from tests.simulator.scheduler import Scheduler
from tests.simulator.setting import KEY, LEASE_S, TAG, TERMS, Flavour, Setting

WARM = 0.6
"""The chance that a node has read the row before the schedule begins; and that L2 has lost it again."""

JUMP = 0.6
"""The chance that the time after which all must agree passes at once, and not from beat to beat."""

AGREED_WITHIN_S = 20.0
NEVER_S = float("inf")
DELETED_EVERY = 5
"""At every fifth version the row is gone."""


class Schedule:
    """One run."""

    def __init__(self, seed: int, setting: Setting, seen: Counter[str]) -> None:
        self.setting = setting
        self.seen = seen
        self.scheduler = Scheduler(seed, leap=0.025)
        strict = setting.strategy is Strategy.STRICT
        self.flavour = setting.flavour or Flavour.drawn(self.scheduler.random, strict=strict)
        self.terms = Terms(writer_s=TERMS.writer_s, token_s=TERMS.token_s, log_length=TERMS.log_length, strict=strict)
        self.store = MemoryStore(self.scheduler)
        self.server = setting.parts.server(now=self.scheduler.now, terms=self.terms)
        self.record = Record(LEASE_S, strict, setting.write_path is WritePath.WRITE_THROUGH, self.flavour.stale_s)
        self.version = 1
        self.covered = 0
        self.in_flight = 0
        self.calm = False
        self.unfinished: list[tuple[float, int, Names]] = []
        self._watch()
        self.server.begin(0)
        self.scheduler.pass_s(self.terms.writer_s)  # the first epoch is not young any more
        self.nodes = [
            Node(
                name,
                scheduler=self.scheduler,
                server=self.server,
                store=self.store,
                setting=setting,
                flavour=self.flavour,
                seen=seen,
            )
            for name in ("a", "b")
        ]
        self.edge = Edge(self.nodes[0]) if self.flavour.edge else None
        self.places: list[Node | Edge] = [*self.nodes, *([self.edge] if self.edge else [])]

    def run(self) -> None:
        """Run it; raise `BrokenPromise`."""
        from tests.simulator.nemesis import Nemesis
        from tests.simulator.traffic import Traffic

        draw, spawn = self.scheduler.random, self.scheduler.spawn
        traffic, nemesis = Traffic(self), Nemesis(self)
        for node in self.nodes:
            if draw.random() < WARM:
                node.cache.read(KEY, self.row, self.flavour.policy)
        if draw.random() < WARM:
            nemesis.evict()
        for place in self.places:
            place.turn()
        for number in range(2 + (draw.random() < 0.15)):
            spawn(lambda number=number: traffic.session(f"session {number}"))  # type: ignore[misc]
        for _ in range(1 + draw.randrange(2)):
            spawn(traffic.write)
        spawn(traffic.relay, needed=False)
        spawn(nemesis.act, needed=False)
        spawn(self._elsewhere, needed=False)
        try:
            self.scheduler.run()
            spawn(self._agree)
            self.scheduler.run()
        finally:
            self.scheduler.end()

    def load(self) -> Loaded:
        """Read the row, as a transaction that begins now; in some schedules the database is in trouble at times."""
        self.scheduler.step()
        loaded = self.row()
        draw = self.scheduler.random
        if draw.random() < self.setting.climate.slow_load:
            self.scheduler.pause(draw.random())
        else:
            self.scheduler.step()
        if self.flavour.trouble and draw.random() < self.flavour.trouble and not self.calm:
            self.seen["load failed"] += 1
            raise ConnectionError("the database does not answer")
        return loaded

    def row(self) -> Loaded:
        """Return the row as it is."""
        return Loaded(self.value(self.version), self.version, (TAG,))

    @staticmethod
    def value(version: int) -> bytes | None:
        """Return what the row is at a version."""
        return None if version % DELETED_EVERY == 0 else b"%d" % version

    def _agree(self) -> None:
        """When all is healed and the relay has done its work, all places return what the database has (P2)."""
        for place in self.places:
            place.weather.clear()
        self.calm = True
        self.scheduler.stir()
        if self.unfinished:
            self.scheduler.park(self.scheduler.now() + AGREED_WITHIN_S, lambda: not self.unfinished)
        if self.scheduler.chance() < JUMP:
            self.scheduler.pass_s(LEASE_S)  # nobody got a turn for so long
            self.scheduler.step()
        else:
            self.scheduler.pause(LEASE_S)
        for place in self.places:
            found = place.read(self.load, None, self.flavour.policy)
            if found.version != self.version:
                raise BrokenPromise(f"P2: all is healed, {place.name} reads {found.version} and not {self.version}")

    def _elsewhere(self) -> None:
        """Somebody else writes rows that nobody here reads: they take numbers."""
        draw = self.scheduler.random
        stranger = MemorySequencer(self.server, self.scheduler.lock(), lambda _: None)
        while not self.calm:
            self.scheduler.pause(0.2 + 3 * draw.random())
            stranger.finish("stranger", ("k:product:2",))

    def _watch(self) -> None:
        """Note what the server does at the moment at which it does it."""
        server, record = self.server, self.record
        invalidate, lookup, publish = server.invalidate, server.lookup, server.publish

        def watched_invalidate(names: list[str], kind: Kind) -> Position:
            if f"k:{KEY}" in names or f"t:{TAG}" in names:
                self.covered = self.version
                record.finished(self.version, self.scheduler.now())
            return invalidate(names, kind)

        def watched_lookup(key: str, owner: str, early_s: float = 0.0) -> Given | Writing | Permitted | Busy:
            found = lookup(key, owner, early_s)
            if isinstance(found, Given):
                record.hit_in_l2(found.entry.version, self.covered)
            return found

        def stirring_publish(text: str) -> None:
            publish(text)
            self.scheduler.stir()

        server.publish = stirring_publish  # type: ignore[method-assign]
        server.invalidate = watched_invalidate  # type: ignore[method-assign,assignment]
        server.lookup = watched_lookup  # type: ignore[method-assign]
