"""Assembly: which parts make which strategy. The only module of the core that knows adapters.

| strategy | L1 | what a write does | what it can't prevent |
|---|---|---|---|
| `no-cache` | none | nothing | nothing: every read asks the database |
| `l2-only` | none | deletes the entries from L2 | a late fill: stale until L2's time to live |
| `ttl` | short-lived | deletes from L2 and from the writer's own L1 | other L1s are stale until L1's time to live |
| `pubsub` | short-lived | the same, and tells the listener of each worker | lost messages, reconnects, late fills |
| `pubsub-flush` | while the listener hears | the same; L1 is flushed on every connect | lost messages, late fills |
| `tracking` | while the listener hears | deletes from L2; Redis tells who tracks | lost messages, late fills of L2 |
| `versioned` | short-lived | raises the key's version, which each lookup reads | a tag's invalidation during a load |
| `sequenced` | while the node's table proves it | announces, commits, finishes, each numbered | staleness up to L |
| `strict` | the same | the same, and waits between for all who hold a lease | nothing, as long as Redis loses nothing |
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from tocsin.address import Addressing, BareAddresses, NamedAddresses, PlainAddresses, VersionedAddresses
from tocsin.agent.node import NodeTable, folder_of, spawner
from tocsin.agent.relaying import RelayThread
from tocsin.agent.rhythm import rhythm_of
from tocsin.agent.thread import ThreadTable
from tocsin.background import Threads
from tocsin.backplane import Listener, Silent
from tocsin.bypass import Bypassed
from tocsin.cache import Cache
from tocsin.clock import Clock, SystemClock
from tocsin.coherence import Coherence, NodeProof
from tocsin.evidence import Answered, Evidence, Expiry, Heard, Proved
from tocsin.generation_file import GenerationFile, can_be_shared
from tocsin.journal import Journal
from tocsin.local import Local
from tocsin.locked import LockedShared, Locks
from tocsin.observer import Observer, Unobserved
from tocsin.protection import UNPROTECTED, Carry, Protection
from tocsin.redis.connection import RedisConnection
from tocsin.redis.ears import SubscribedEar, TrackingEar
from tocsin.redis.journal import RedisJournal
from tocsin.redis.listener import RedisListener
from tocsin.redis.locks import RedisLocks
from tocsin.redis.sequenced.assembly import sequencer_on
from tocsin.redis.shared_level import RedisSharedLevel
from tocsin.sequenced import SequencedJournal, SequencedShared
from tocsin.sequencer import Sequencer
from tocsin.settings import Agent, CacheSettings, Strategy, WritePath
from tocsin.shared import SharedLevel


class Sequencing(Struct, frozen=True):
    """What `sequenced` and `strict` are built on beside the rest."""

    sequencer: Sequencer
    table: NodeProof


class Adapters(Struct, frozen=True):
    """What a cache is built on: the Redis adapters, or those in memory.

    `backplane` is used by the strategies that listen, `sequencing` by `sequenced` and `strict`, `locks` by the others
    where a stampede protection needs them.
    """

    shared: SharedLevel
    journal: Journal
    backplane: Listener
    sequencing: Sequencing | None = None
    locks: Locks | None = None


class Adapt(Protocol):
    """What may get around the parts of a cache while it is composed; each method returns what is to be used instead."""

    def settings(self, settings: CacheSettings) -> CacheSettings:
        """Return the settings to compose with."""

    def adapters(self, adapters: Adapters, settings: CacheSettings, clock: Clock) -> Adapters:
        """Return the adapters to compose with."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:
        """Return the parts of the strategy."""


def connect(
    settings: CacheSettings,
    *,
    observer: Observer | None = None,
    trouble: Sequence[type[Exception]] = (),
    carry: Carry = UNPROTECTED.carry,
    adapt: Adapt | None = None,
) -> Cache:
    """Return a cache on Redis. Opens nothing: no connection, no thread; so it may be called before a fork.

    `trouble` are errors of loaders, beside OSError, that say that what they ask is in trouble (`tocsin.loading`).
    `carry` takes the caller's context along to the thread of a refresh, if `refresh_threads` are set.
    `adapt` gets around its parts, for those who watch or test them.
    """
    if adapt is not None:
        settings = adapt.settings(settings)
    clock = SystemClock()
    watching = observer or Unobserved()
    connection = RedisConnection(settings, clock)
    shared = RedisSharedLevel(
        connection,
        node=settings.node,
        tells=settings.strategy.tells,
        consults_dirty=settings.write_path is WritePath.WRITE_BEHIND,
    )
    adapters = Adapters(
        shared=shared,
        journal=RedisJournal(connection, shared),
        backplane=_listener(connection, settings, clock=clock, observer=watching),
        sequencing=_sequencing(connection, settings, clock) if settings.strategy.is_sequenced else None,
        locks=RedisLocks(connection),
    )
    if adapt is not None:
        adapters = adapt.adapters(adapters, settings, clock)
    threads = Threads(settings.refresh_threads, clock) if settings.refresh_threads else None
    protection = Protection(background=threads, carry=carry, trouble=tuple(trouble))
    return compose(settings, adapters, clock=clock, observer=watching, protection=protection, adapt=adapt)


def compose(
    settings: CacheSettings,
    adapters: Adapters,
    *,
    clock: Clock,
    observer: Observer,
    protection: Protection = UNPROTECTED,
    adapt: Adapt | None = None,
) -> Cache:
    """Return a cache of the settings' strategy, built on the given adapters; `adapt` gets around its parts."""
    journal = adapters.journal
    if settings.strategy.is_sequenced:
        parts, shared = _sequenced_parts(settings, adapters, clock)
        journal = SequencedJournal(journal, shared)
    else:
        parts = _parts(settings, adapters, clock)
    if adapt is not None:
        parts = adapt.parts(parts, settings, clock)
    return Cache(parts=parts, journal=journal, settings=settings, clock=clock, observer=observer, protection=protection)


def _listener(
    connection: RedisConnection, settings: CacheSettings, *, clock: Clock, observer: Observer
) -> RedisListener:
    ear = TrackingEar if settings.strategy is Strategy.TRACKING else SubscribedEar
    flushes = settings.strategy is not Strategy.PUBSUB
    return RedisListener(
        ear(connection, settings, clock=clock), settings, clock=clock, observer=observer, flushes=flushes
    )


def _sequencing(connection: RedisConnection, settings: CacheSettings, clock: Clock) -> Sequencing:
    """Return the sequencer, and the table: the node's, or the worker's own where it is wished or can't be shared."""
    sequencer = sequencer_on(connection, settings)
    if settings.agent is Agent.THREAD or not can_be_shared():
        relaying = RelayThread(settings, sequencer, clock=clock)
        return Sequencing(
            sequencer,
            ThreadTable(sequencer, name=settings.node, clock=clock, rhythm=rhythm_of(settings), relaying=relaying),
        )
    folder = folder_of(settings)
    return Sequencing(sequencer, NodeTable(GenerationFile(folder), clock=clock, spawn=spawner(settings, folder)))


def _sequenced_parts(settings: CacheSettings, adapters: Adapters, clock: Clock) -> tuple[Coherence, SequencedShared]:
    assert adapters.sequencing is not None, "a sequenced strategy needs a sequencer and a table"
    strict = settings.strategy is Strategy.STRICT
    table = adapters.sequencing.table
    shared = SequencedShared(
        adapters.sequencing.sequencer,
        adapters.shared,
        clock=clock,
        lease_s=settings.lease_s,
        strict=strict,
        glimpses=settings.write_path is not WritePath.WRITE_BEHIND,
    )
    parts = Coherence(
        addressing=NamedAddresses(settings.strategy.value),
        local=Local(max_bytes=settings.l1_max_bytes, clock=clock),
        evidence=Proved(table, clock, lease_s=settings.lease_s, shows_stale=not strict),
        shared=shared,
        backplane=table,
        joins=True,
        numbers=True,
    )
    return parts, shared


def _parts(settings: CacheSettings, adapters: Adapters, clock: Clock) -> Coherence:
    strategy = settings.strategy
    shared: SharedLevel = Bypassed(adapters.shared) if strategy is Strategy.NO_CACHE else adapters.shared
    if settings.protection.waits:
        assert adapters.locks is not None, "the protection is a lock where a strategy has no tokens"
        shared = LockedShared(shared, adapters.locks, lock_s=settings.lock_s)
    has_local = strategy not in (Strategy.NO_CACHE, Strategy.L2_ONLY)
    addressing: Addressing
    match strategy:
        case Strategy.NO_CACHE:
            addressing = BareAddresses()
        case Strategy.VERSIONED:
            addressing = VersionedAddresses(shared.versions)
        case _:
            searches = strategy.listens
            addressing = PlainAddresses(shared.versions, strategy=strategy.value, searches=searches)
    evidence: Evidence
    match strategy:
        case Strategy.PUBSUB_FLUSH | Strategy.TRACKING:
            evidence = Heard(adapters.backplane)
        case _ if strategy is Strategy.VERSIONED or settings.write_path is WritePath.WRITE_BEHIND:
            evidence = Answered()
        case _:
            evidence = Expiry()
    return Coherence(
        addressing=addressing,
        local=Local(max_bytes=settings.l1_max_bytes, clock=clock) if has_local else None,
        evidence=evidence,
        shared=shared,
        backplane=adapters.backplane if strategy.listens else Silent(strategy.value),
        joins=strategy is not Strategy.NO_CACHE,
        reserves=strategy is Strategy.TRACKING,
    )
