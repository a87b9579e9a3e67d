"""Mutants of the core: each lacks one rule, and the simulator must convict it of a promise that the rule keeps.

Each is a subclass or a replacement of one method, as small as the mistake it stands for.
"""

# ruff: noqa: ARG005  # a replacement takes what the replaced took

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tocsin.cache import Cache
from tocsin.follower import Follower
from tocsin.generation import APPLIED, EPOCH, Keeper, Memory
from tocsin.memory.sequenced_state import MemoryServer, Stored
from tocsin.message import key_name, message_of
from tocsin.position import Position
from tocsin.sequencer import Ended, Kept, Put, Token
from tocsin.settings import Strategy, WritePath
from tocsin.shared import NOT_ANNOUNCED, Filled, Found, Load

from tests.simulator.setting import LEASE_S, Climate, Parts, Setting


class FillsWithoutToken(MemoryServer):
    """Hazard 1: stores every fill."""

    def fill(self, put: Put, token: Token) -> Kept:
        self.tables.entries[put.key] = Stored(put, Position(self.tables.epoch, token.base.sequence), self.now())
        return Kept(True, self.position())


class FillsAnyEpoch(MemoryServer):
    """M11: a token that came back with a snapshot still fills, and its value is taken for one of the new epoch."""

    def fill(self, put: Put, token: Token) -> Kept:
        mine = self._token(put.key) == token
        if mine and not self.being_written(key_name(put.key)) and self._mark(put.names) <= token.base.sequence:
            self.tables.entries[put.key] = Stored(put, Position(self.tables.epoch, token.base.sequence), self.now())
            return Kept(True, self.position())
        return Kept(False, self.position())


class FillsWhileWriting(MemoryServer):
    """D, reading 3: a fill does not ask whether a tag of the value is being written."""

    def being_written(self, name: str) -> bool:
        return name.startswith("k:") and super().being_written(name)


class GivesWithoutMarks(MemoryServer):
    """M09: a hit in L2 is not compared with the marks of its tags."""

    def _mark(self, names: Iterable[str]) -> int:
        return 0


class OneWriterForAll(MemoryServer):
    """C8: the end of one write lifts all writers of the name."""

    def finish(self, writer: str, names: Sequence[str], announced: Position | None, puts: Sequence[Put]) -> Ended:
        ended = super().finish(writer, names, announced, puts)
        for name in names:
            self.tables.writers.pop(name, None)
        return ended


class AloneAtTheEnd(MemoryServer):
    """D1: a write-through keeps its value if nobody else is writing at its end, whoever came and went."""

    def _last_writer(self, writer: str, put: Put, announced: Position) -> bool:
        writers = self.tables.writers.get(key_name(put.key))
        return writers is not None and set(writers.ids) == {writer}


class KeyAlone(MemoryServer):
    """D1b: the same for the key, but marks and writers of the value's tags are not asked."""

    def _last_writer(self, writer: str, put: Put, announced: Position) -> bool:
        return super()._last_writer(writer, replace_names(put), announced)


def replace_names(put: Put) -> Put:
    """Return a put that says nothing of its tags."""
    return Put(put.key, put.loaded, (), put.ttl_s, put.stale_s)


class WriterOfAnyEpoch(MemoryServer):
    """C5: a write-through that came back with a snapshot keeps its value."""

    def _last_writer(self, writer: str, put: Put, announced: Position) -> bool:
        writers = self.tables.writers.get(key_name(put.key))
        return writers is not None and set(writers.ids) == {writer} and writers.last == announced.sequence


class NoGrace(MemoryServer):
    """D2: a new epoch trusts its list of writers at once."""

    def young(self, grace_s: float) -> bool:
        return False


class SameEpochAfterRestart(MemoryServer):
    """C9, M05: nobody compares run ids, so what a snapshot brings back is believed."""

    def restart(self, snapshot: object = None) -> None:
        super().restart(snapshot)  # type: ignore[arg-type]
        self.tables.run = self.run

    def whole(self, run: int) -> Position:
        return super().whole(self.run)


class RenewsFromTheReply(Keeper):
    """M03: the lease counts from when the answer came."""

    def __init__(self, memory: Memory, now: Callable[[], float]) -> None:
        super().__init__(memory)
        self._now = now

    def renew(self, deadline_s: float) -> None:
        super().renew(max(deadline_s, self._now() + LEASE_S))


class FlushesNaively(Keeper):
    """C4: a flush takes up the epoch and the sequence, and clears nothing."""

    def flush(self, position: Position) -> None:
        self.suspend()
        self._words[APPLIED] = position.sequence
        self._words[EPOCH] = position.epoch
        self._next_change()


class RepairsNothing(Follower):
    """M04: a message that is too new is applied, and what lies between is taken for applied."""

    def _hear(self, text: str | bytes) -> None:
        message = message_of(text)
        position = message.position
        if message.kind.value != "c" and position.epoch == self._applied.epoch and position > self._applied:
            self._apply(message)
            return
        super()._hear(text)


class BelievesItIsThere(Follower):
    """Hazard 6: the beat renews without comparing what was applied with what was written."""

    def catch_up(self) -> None:
        log = self._feed.log(self._applied.sequence)
        if log.position.epoch != self._applied.epoch:
            super().catch_up()
        elif log.position.sequence > self._applied.sequence:
            self._applied = log.position
            self._sink.apply(log.position.sequence, ())


def keeps_refused_fills(cache: Cache) -> None:
    """C3: a refused fill is put into L1 all the same."""
    cache._parts.evidence.admits = lambda load, filled: load is not None  # type: ignore[method-assign]


def joins_blindly(cache: Cache) -> None:
    """C1: whoever joined takes what landed."""
    cache._reader._usable = lambda landed, address, demand: True  # type: ignore[method-assign]


def announces_nothing(cache: Cache) -> None:
    """C2: a write is told after its commit only."""
    cache._parts.shared.announce = lambda invalidation: NOT_ANNOUNCED  # type: ignore[method-assign]


def waits_for_nobody(cache: Cache) -> None:
    """S09: a strict write commits without waiting for those who hold leases."""
    cache._parts.shared._await_holders = lambda announcement: None  # type: ignore[attr-defined]


def ignores_watermarks(cache: Cache) -> None:
    """Read-your-writes: L1 answers whatever the session has seen."""
    evidence = cache._parts.evidence
    doubt = evidence.doubt
    evidence.doubt = lambda entry, address, now_s, at_least: doubt(entry, address, now_s, None)  # type: ignore[method-assign]


def tells_no_position(cache: Cache) -> None:
    """WmDb: a value read from the database without a fill raises no watermark."""
    cache._reader._fetcher._position = lambda: None  # type: ignore[method-assign]


class LateToken:
    """A token that looks as if it had been given when its fill was answered."""

    def __init__(self, token: Token) -> None:
        self.given = token
        self.base = token.base


def bases_on_the_reply(cache: Cache) -> None:
    """M02: an entry in L1 takes as its base the sequence of the fill's reply."""
    shared = cache._parts.shared
    lookup, fill = shared.lookup, shared.fill

    def late_lookup(address: object, early_s: float = 0.0) -> Found:
        found = lookup(address, early_s)  # type: ignore[arg-type]
        return Load(LateToken(found.token)) if isinstance(found, Load) and found.token else found  # type: ignore[arg-type]

    def late_fill(address: object, load: Load, loaded: object, ttl_s: float, stale_s: float = 0.0) -> Filled:
        token = load.token
        assert isinstance(token, LateToken)
        filled = fill(address, Load(token.given), loaded, ttl_s, stale_s)
        token.base = filled.position or token.base
        return Filled(True, filled.position)

    shared.lookup, shared.fill = late_lookup, late_fill  # type: ignore[method-assign]


CALM = Climate(lose_request=0.0, nemesis=("evict", ""))
SLOW_WRITERS = Climate(stall=0.6, slow_load=0.6, lose_request=0.0, nemesis=("evict",))
DEAF = Climate(lose_request=0.0, lose_message=0.6, nemesis=("evict", ""))
SLOW_REPLIES = Climate(lose_request=0.0, lose_message=0.6, delay=0.4, nemesis=("",))
RESTARTS = Climate(slow_load=0.6, lose_request=0.0, nemesis=("snapshot", "restart"), nemesis_s=0.5)
SLOW_RESTARTS = Climate(stall=0.7, lose_request=0.0, nemesis=("snapshot", "restart"), nemesis_s=1.0)
TRIMS = Climate(lose_request=0.0, lose_message=0.6, delay=0.05, nemesis=("trim", "trim", "kill"), nemesis_s=0.5)


@dataclass(frozen=True)
class Mutant:
    """A core that lacks a rule, where it shows, and the promises that it breaks."""

    name: str
    parts: Parts
    promises: tuple[str, ...]
    strategy: Strategy = Strategy.SEQUENCED
    write_path: WritePath = WritePath.CACHE_ASIDE
    climate: Climate = CALM

    def setting(self) -> Setting:
        """Return the schedule's setting."""
        return Setting(self.strategy, self.write_path, self.parts, self.climate)

    def control(self) -> Setting:
        """Return the same setting with the core as it is."""
        return Setting(self.strategy, self.write_path, Parts(), self.climate)


P1, P2, P3 = "P1", "P2", "P3"
ANY = (P1, P2, P3)
THROUGH = WritePath.WRITE_THROUGH
MUTANTS = (
    Mutant("hazard 1: fills without a token", Parts(server=FillsWithoutToken), (P1, P2, P3)),
    Mutant("M11: fills in any epoch", Parts(server=FillsAnyEpoch), ANY, climate=RESTARTS),
    Mutant("M09: gives without looking at marks", Parts(server=GivesWithoutMarks), ANY),
    Mutant("D1: alone at the end", Parts(server=AloneAtTheEnd), ANY, write_path=THROUGH),
    Mutant("D1b: alone for the key", Parts(server=KeyAlone), ANY, write_path=THROUGH),
    Mutant("C5: a writer of any epoch", Parts(server=WriterOfAnyEpoch), ANY, write_path=THROUGH, climate=RESTARTS),
    Mutant("C9: nobody compares runs", Parts(server=SameEpochAfterRestart), ANY, climate=RESTARTS),
    Mutant("C4: flushes naively", Parts(keeper=lambda memory, now: FlushesNaively(memory)), ANY, climate=TRIMS),
    Mutant("M04: repairs nothing", Parts(follower=RepairsNothing), ANY, climate=DEAF),
    Mutant("believes that it heard everything", Parts(follower=BelievesItIsThere), ANY, climate=DEAF),
    Mutant("C1: joins blindly", Parts(adjust=joins_blindly), (P2, P3)),
    Mutant("ignores watermarks", Parts(adjust=ignores_watermarks), (P3,), climate=DEAF),
    Mutant("M02: bases on the reply", Parts(adjust=bases_on_the_reply), (P2, P3)),
    Mutant("M06: loads before the lookup", Parts(loads_before_lookup=True), ANY),
    Mutant("D3: finishes what is unknown", Parts(finishes_unknown=True), ANY),
    Mutant("M08: no relay", Parts(relays=False), (P2,)),
)
