"""Assembly: which parts make which strategy. The only module of the core that knows adapters.

| strategy | L1 | what a write does | what it can't prevent |
|---|---|---|---|
| `no-cache` | none | nothing | nothing: every read asks the database |
| `l2-only` | none | deletes the entries from L2 | a late fill: stale until L2's time to live |
| `ttl` | short-lived | deletes from L2 and from the writer's own L1 | other L1s are stale until L1's time to live |
| `pubsub` | short-lived | the same, and tells the listener of each worker | lost messages, reconnects, late fills |
| `versioned` | short-lived | raises the key's version, which each lookup reads | a tag's invalidation during a load |
"""

from msgspec import Struct

from tocsin.address import Addressing, BareAddresses, PlainAddresses, VersionedAddresses
from tocsin.backplane import Backplane, Silent
from tocsin.bypass import Bypassed
from tocsin.cache import Cache
from tocsin.clock import Clock, SystemClock
from tocsin.coherence import Coherence
from tocsin.evidence import Answered, Evidence, Expiry
from tocsin.journal import Journal
from tocsin.local import Local
from tocsin.observer import Observer, Unobserved
from tocsin.redis.connection import RedisConnection
from tocsin.redis.journal import RedisJournal
from tocsin.redis.listener import RedisListener
from tocsin.redis.shared_level import RedisSharedLevel
from tocsin.settings import CacheSettings, Strategy, WritePath
from tocsin.shared import SharedLevel


class Adapters(Struct, frozen=True):
    """What a cache is built on: the Redis adapters, or those in memory. `backplane` is used by `pubsub` alone."""

    shared: SharedLevel
    journal: Journal
    backplane: Backplane


def connect(settings: CacheSettings, *, observer: Observer | None = None) -> Cache:
    """Return a cache on Redis. Opens nothing: no connection, no thread; so it may be called before a fork."""
    clock = SystemClock()
    watching = observer or Unobserved()
    connection = RedisConnection(settings, clock)
    shared = RedisSharedLevel(
        connection,
        node=settings.node,
        tells=settings.strategy is Strategy.PUBSUB,
        consults_dirty=settings.write_path is WritePath.WRITE_BEHIND,
    )
    adapters = Adapters(
        shared=shared,
        journal=RedisJournal(connection, shared),
        backplane=RedisListener(connection, settings, clock=clock, observer=watching),
    )
    return compose(settings, adapters, clock=clock, observer=watching)


def compose(settings: CacheSettings, adapters: Adapters, *, clock: Clock, observer: Observer) -> Cache:
    """Return a cache of the settings' strategy, built on the given adapters."""
    return Cache(
        parts=_parts(settings, adapters, clock),
        journal=adapters.journal,
        settings=settings,
        clock=clock,
        observer=observer,
    )


def _parts(settings: CacheSettings, adapters: Adapters, clock: Clock) -> Coherence:
    strategy = settings.strategy
    shared: SharedLevel = Bypassed(adapters.shared) if strategy is Strategy.NO_CACHE else adapters.shared
    has_local = strategy in (Strategy.TTL, Strategy.PUBSUB, Strategy.VERSIONED)
    proves = strategy is Strategy.VERSIONED or settings.write_path is WritePath.WRITE_BEHIND
    addressing: Addressing
    match strategy:
        case Strategy.NO_CACHE:
            addressing = BareAddresses()
        case Strategy.VERSIONED:
            addressing = VersionedAddresses(shared.versions)
        case _:
            addressing = PlainAddresses(shared.versions)
    evidence: Evidence = Answered() if proves else Expiry()
    return Coherence(
        addressing=addressing,
        local=Local(max_bytes=settings.l1_max_bytes, clock=clock) if has_local else None,
        evidence=evidence,
        shared=shared,
        backplane=adapters.backplane if strategy is Strategy.PUBSUB else Silent(strategy.value),
        joins=strategy is not Strategy.NO_CACHE,
    )
