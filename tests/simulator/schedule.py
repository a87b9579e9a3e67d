"""Schedule: one run of the whole core through a random interleaving of everything that can happen to it.

    two nodes (cache, agent, table) ── requests that may be lost ──▶ one server that may restart
    readers with sessions, writers that may stall or die, a relay, and a nemesis          one row in a database

The core is unchanged: `tocsin.assembly.compose` builds it on the memory adapters, and its ports take steps. What always
holds: the seed decides everything, so a schedule that broke a promise is replayed by its seed.
"""

from __future__ import annotations

from collections import Counter

from tocsin.entry import Layer, Loaded
from tocsin.errors import Unavailable
from tocsin.memory.store import MemoryStore
from tocsin.message import Kind
from tocsin.names import Names
from tocsin.position import Position, later
from tocsin.sequencer import Busy, Given, Permitted, Terms, Writing
from tocsin.settings import Strategy, WritePath
from tocsin.writing import Write

from tests.simulator.node import Node
from tests.simulator.record import BrokenPromise, Record, Session
from tests.simulator.scheduler import Scheduler
from tests.simulator.setting import KEY, LEASE_S, NAMED, TAG, TERMS, Setting

WARM = 0.6
"""The chance that a node has read the row before the schedule begins; and that L2 has lost it again."""

AGREED_WITHIN_S = 20.0
NEVER_S = float("inf")


class Schedule:
    """One run."""

    def __init__(self, seed: int, setting: Setting, seen: Counter[str]) -> None:
        self.setting = setting
        self.seen = seen
        self.scheduler = Scheduler(seed, leap=0.025)
        strict = setting.strategy is Strategy.STRICT
        self.terms = Terms(writer_s=TERMS.writer_s, token_s=TERMS.token_s, log_length=TERMS.log_length, strict=strict)
        self.store = MemoryStore(self.scheduler)
        self.server = setting.parts.server(now=self.scheduler.now, terms=self.terms)
        self.record = Record(LEASE_S, strict, setting.write_path is WritePath.WRITE_THROUGH)
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
                seen=seen,
            )
            for name in ("a", "b")
        ]

    def run(self) -> None:
        """Run it; raise `BrokenPromise`."""
        draw = self.scheduler.random
        for node in self.nodes:
            if draw.random() < WARM:
                node.cache.read(KEY, self._row)
            node.turn()
        if draw.random() < WARM:
            self._evict()
        for number in range(2 + (draw.random() < 0.3)):
            self.scheduler.spawn(lambda number=number: self._client(Session(f"session {number}")))  # type: ignore[misc]
        for _ in range(1 + draw.randrange(2)):
            self.scheduler.spawn(self._write)
        self.scheduler.spawn(self._relay, needed=False)
        self.scheduler.spawn(self._nemesis, needed=False)
        self.scheduler.spawn(self._elsewhere, needed=False)
        try:
            self.scheduler.run()
            self.scheduler.spawn(self._agree)
            self.scheduler.run()
        finally:
            self.scheduler.end()

    def load(self) -> Loaded:
        """Read the row, as a transaction that begins now."""
        self.scheduler.step()
        loaded = self._row()
        draw = self.scheduler.random
        if draw.random() < self.setting.climate.slow_load:
            self.scheduler.pause(draw.random())
        else:
            self.scheduler.step()
        return loaded

    def _row(self) -> Loaded:
        return Loaded(b"%d" % self.version, self.version, (TAG,))

    def _client(self, session: Session) -> None:
        """Read a few times, on either node, and perhaps write in between."""
        draw = self.scheduler.random
        watermark = Position()
        for _ in range(2 + (draw.random() < 0.4)):
            if draw.random() < 0.2:
                watermark = later(watermark, self._write(session) or watermark)
            if draw.random() < 0.3:
                self.scheduler.pause(draw.random() * 1.5)
            node = self.nodes[draw.random() < 0.3]
            begun_s, floor = self.scheduler.now(), self.record.floor()
            load = self.load
            if self.setting.parts.loads_before_lookup:
                early = self.load()
                load = lambda early=early: early  # type: ignore[misc]  # noqa: E731
            answer = node.cache.read(KEY, load, at_least=watermark if watermark.epoch else None)
            if answer.joined:
                self.seen["joined"] += 1
            if answer.layer is Layer.L1:
                self.seen["hit in l1"] += 1
            elif answer.steps[-1].detail in ("lease", "invalidated", "epoch", "watermark"):
                self.seen[f"l1 refused: {answer.steps[-1].detail}"] += 1
            version = int(answer.value or b"0")
            self.record.read(session=session, version=version, begun_s=begun_s, floor=floor, answer=answer)
            watermark = later(watermark, answer.watermark or watermark)

    def _write(self, session: Session | None = None) -> Position | None:
        """Announce, commit, finish; perhaps stall, die, roll back or lose the commit's outcome in between."""
        draw = self.scheduler.random
        node, names, fate = draw.choice(self.nodes), draw.choice(NAMED), draw.random()
        begun_s, version = self.scheduler.now(), 0
        self.in_flight += 1
        try:
            with node.cache.writing(names) as write:
                self._stall()
                if fate < 0.1:
                    return None  # rolled back, certainly
                if fate < 0.2:
                    if not self.setting.parts.finishes_unknown:
                        write.unknown()
                else:
                    version = self._commit(write, begun_s, names)
                    if version and names.keys:
                        write.committed(key=KEY, value=b"%d" % version, version=version, tags=(TAG,))
                    if fate < 0.3:
                        write.unknown()  # stands for a writer that dies here: nothing is finished
                    self._stall()
            if fate < 0.2:
                self._stall()
                version = self._commit(write, begun_s, names)  # what was lost on the way arrives
        except Unavailable:
            return None  # strict: not announced, not committed
        finally:
            self.in_flight -= 1
        if not version:
            return None
        if write.receipt.pending:
            self.seen["pending"] += 1
        else:
            self.record.acknowledged(version, self.scheduler.now())
        if session is not None:
            session.version = max(session.version, version)
        return write.receipt.watermark

    def _stall(self) -> None:
        draw = self.scheduler.random
        self.scheduler.step()
        if draw.random() < self.setting.climate.stall:
            self.scheduler.pause(draw.random() * 2.0)

    def _commit(self, write: Write, begun_s: float, names: Names) -> int:
        """Commit the row and its outbox row, and return its version; 0 if the database's timeout refused it (D4)."""
        late = self.scheduler.now() >= begun_s + self.terms.writer_s * 0.9
        if late and self.record.strict and self.setting.parts.fenced:
            return 0
        if late:
            self.record.excused = self.record.excused or "a commit beyond its deadline"
        if write._announced.position is None:
            self.record.excused = self.record.excused or "a write whose node could not reach Redis"
        self.version += 1
        self.unfinished.append((self.scheduler.now(), self.version, names))
        self.scheduler.stir()
        return self.version

    def _relay(self) -> None:
        """Finish again what has been committed for a while and not been acknowledged."""
        scheduler = self.scheduler
        while self.setting.parts.relays:
            if self.unfinished:
                scheduler.pause(0.2)
            else:
                scheduler.park(NEVER_S, lambda: self.unfinished)
            for write in list(self.unfinished):
                committed_s, version, names = write
                if version not in self.record.acknowledged_s:
                    if scheduler.now() < committed_s + 0.2 or self.nodes[0].cache.finish_again(names).pending:
                        continue
                    self.seen["relayed"] += 1
                self.unfinished.remove(write)
            scheduler.stir()

    def _agree(self) -> None:
        """When all is healed and the relay has done its work, both nodes return what the database has (P2)."""
        for node in self.nodes:
            node.weather.clear()
        self.scheduler.stir()
        self.calm = True
        if self.unfinished:
            self.scheduler.park(self.scheduler.now() + AGREED_WITHIN_S, lambda: not self.unfinished)
        self.scheduler.pause(LEASE_S)
        for node in self.nodes:
            found = int(node.cache.read(KEY, self.load).value or b"0")
            if found != self.version:
                raise BrokenPromise(f"P2: all is healed, and {node.name} reads {found} instead of {self.version}")

    def _elsewhere(self) -> None:
        """Write rows that nobody here reads: they take numbers."""
        draw = self.scheduler.random
        while not self.calm:
            self.scheduler.pause(0.2 + 2 * draw.random())
            draw.choice(self.nodes).cache.invalidate(Names(keys=("product:2",)))

    def _nemesis(self) -> None:
        """Cut, heal, restart, kill, evict, trim."""
        draw = self.scheduler.random
        snapshot = self.server.snapshot()
        while True:
            self.scheduler.pause(0.1 + draw.random() * self.setting.climate.nemesis_s)
            if self.calm:
                return
            node = draw.choice(self.nodes)
            match draw.choice(self.setting.climate.nemesis):
                case "cut":
                    node.weather.cut = not node.weather.cut
                    self.scheduler.stir()
                    self.seen["cut"] += node.weather.cut
                case "snapshot":
                    snapshot = self.server.snapshot()
                case "restart":
                    self._restart(snapshot if draw.random() < 0.7 else None)
                case "kill":
                    node.kill_agent()
                    self.seen["agent killed"] += 1
                case "evict":
                    self._evict()
                case "trim":
                    self.server.tables.log.clear()
                    self.seen["log trimmed"] += 1

    def _evict(self) -> None:
        self.server.tables.entries.pop(KEY, None)
        self.server.tables.tokens.pop(KEY, None)

    def _restart(self, snapshot: object) -> None:
        if self.in_flight:
            self.record.excused = self.record.excused or "a write in flight while Redis restarted"
        self.server.restart(snapshot)  # type: ignore[arg-type]
        self.scheduler.stir()
        self.seen["restarted"] += 1

    def _watch(self) -> None:
        """Note what the server does at the moment at which it does it."""
        server, record = self.server, self.record
        invalidate, lookup = server.invalidate, server.lookup

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

        publish = server.publish

        def stirring_publish(text: str) -> None:
            publish(text)
            self.scheduler.stir()

        server.publish = stirring_publish  # type: ignore[method-assign]
        server.invalidate = watched_invalidate  # type: ignore[method-assign,assignment]
        server.lookup = watched_lookup  # type: ignore[method-assign]
