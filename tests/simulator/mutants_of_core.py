"""Mutants of the core: agent, reader, writer, write-behind and relay, each without one rule.

Each is a subclass or a replacement of one method, as small as the mistake it stands for.
"""

# ruff: noqa: ARG005  # a replacement takes what the replaced took

from __future__ import annotations

import math
from collections.abc import Callable

from tocsin.cache import Cache
from tocsin.follower import Follower
from tocsin.generation import APPLIED, EPOCH, Keeper, Memory
from tocsin.invalidation import Invalidation
from tocsin.journal import Accepted, Behind, Operation, Outcome
from tocsin.memory.journal import MemoryJournal
from tocsin.message import Message, message_of
from tocsin.position import Position
from tocsin.relay import Relay
from tocsin.sequencer import Feed, Token
from tocsin.shared import NOT_ANNOUNCED, Filled, Found, Load

from tests.simulator.mutants_of_server import RemembersWhoAsked
from tests.simulator.setting import LEASE_S


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


def gives_what_it_glimpsed(cache: Cache) -> None:
    """C9: what lies in L2 unmarked is given, whatever this node's table says of it."""
    glimpser = cache._reader._fetcher.glimpser
    glimpser._judged = lambda address, hit, policy, begun_s, now_s, demand: glimpser._given(  # type: ignore[method-assign]
        address, hit, policy, begun_s
    )


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


class NeverEnds(Keeper):
    """A lease that was given once lasts for ever."""

    def renew(self, deadline_s: float) -> None:
        super().renew(math.inf)


class SuppressesOwnEcho(Follower):
    """M07: what this node wrote itself is not applied again."""

    def _apply(self, message: Message) -> None:
        if _server_of(self._feed).asked.get(message.position) == self._node[0]:
            self._sink.apply(message.position.sequence, ())
            self._applied = message.position
        else:
            super()._apply(message)


def _server_of(feed: Feed) -> RemembersWhoAsked:
    server = getattr(getattr(feed, "_sequencer", feed), "_server", None)
    assert isinstance(server, RemembersWhoAsked)
    return server


class UnpinsAlways(MemoryJournal):
    """C12a: a drain unpins whatever is there by now."""

    def drained(self, operation: Operation, invalidation: Invalidation) -> None:
        super().drained(operation, invalidation)
        self._shared.reach().dirty[operation.key].pinned = None


class VersionsByTheRow(MemoryJournal):
    """C12c: the application gives the version, one above the row that it has read."""

    def write(self, behind: Behind, invalidation: Invalidation) -> Outcome:
        self._shared.reach().dirty.pop(behind.key, None)
        return super().write(behind, invalidation)


class VersionsByTheCounter(MemoryJournal):
    """C12e: the script gives the version, one above the one that it gave last, whatever the row has."""

    def write(self, behind: Behind, invalidation: Invalidation) -> Outcome:
        store = self._shared.reach()
        outcome = super().write(behind, invalidation)
        dirty = store.dirty[behind.key]
        if isinstance(outcome, Accepted) and store.journal:
            version = outcome.version - behind.row_version
            dirty.version = version
            store.journal[-1] = Operation(
                store.journal[-1].position, behind.key, version, behind.operation, behind.names
            )
            return Accepted(version)
        return outcome


def drains_quietly(cache: Cache) -> None:
    """C12d: a drain that is done invalidates nothing."""
    journal = cache._behind._journal
    journal.drained = journal._journal.drained  # type: ignore[attr-defined, method-assign]


class UnderALock(Relay):
    """C13: one relay at a time, by a lock that whoever is stopped keeps."""

    held = False

    def turn(self) -> float:
        if UnderALock.held:
            return 0.1
        UnderALock.held = True
        try:
            return super().turn()
        finally:
            UnderALock.held = False


def commits_whenever(cache: Cache) -> None:
    """C6: the database takes a commit however late it comes."""
    cache._writer.commits_by_s = lambda begun_s: math.inf  # type: ignore[method-assign]


def counts_from_the_reply(cache: Cache) -> None:
    """D4: the time that the database gives counts from when the announcement was answered."""
    commits_by_s = cache._writer.commits_by_s
    cache._writer.commits_by_s = lambda begun_s: commits_by_s(cache._clock.now())  # type: ignore[method-assign]
