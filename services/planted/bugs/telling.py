"""Bugs of those who write, and of those who fill: what is told at the wrong moment, not at all, or kept too late."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from msgspec.structs import replace
from tocsin.address import Address
from tocsin.assembly import Adapters
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Loaded
from tocsin.invalidation import Invalidation
from tocsin.journal import Journal, Operation
from tocsin.names import Names
from tocsin.redis.connection import RedisConnection
from tocsin.redis.journal import RedisJournal
from tocsin.redis.shared_level import RedisSharedLevel
from tocsin.settings import CacheSettings
from tocsin.shared import NOT_ANNOUNCED, Announced, Filled, Finished, Load, SharedLevel, Store

from planted.adaptation import Adaptation
from planted.around import Around

NOTHING = Invalidation(Names(), (), (), ())


class _ToldFirst(Around):
    """Tells before the commit; after it L2 is cleared, and nobody hears of that."""

    def __init__(self, telling: SharedLevel, quiet: SharedLevel) -> None:
        super().__init__(quiet)
        self._telling = telling

    def announce(self, invalidation: Invalidation) -> Announced:
        """Clear and tell: too early."""
        self._telling.finish(invalidation)
        return NOT_ANNOUNCED


class PublishBeforeCommit(Adaptation):
    """The message goes out before the commit: whoever hears it loads the old row again.

    For `pubsub`. The order of two lines in many applications: `cache.publish(key)`, then `session.commit()`.
    """

    def adapters(self, adapters: Adapters, settings: CacheSettings, clock: Clock) -> Adapters:
        """Two shared levels on one connection, one of which tells."""
        connection = RedisConnection(settings, clock)
        behind = settings.write_path.value == "write-behind"
        telling, quiet = (
            RedisSharedLevel(connection, node=settings.node, tells=tells, consults_dirty=behind)
            for tells in (True, False)
        )
        shared = cast(SharedLevel, _ToldFirst(telling, quiet))
        return replace(adapters, shared=shared, journal=RedisJournal(connection, quiet))


class _Mute(Around):
    """L2 in which a write leaves no trace."""

    def announce(self, invalidation: Invalidation) -> Announced:  # noqa: ARG002
        """Say nothing."""
        return NOT_ANNOUNCED

    def finish(
        self,
        invalidation: Invalidation,  # noqa: ARG002
        stores: Sequence[Store] = (),  # noqa: ARG002
        announced: Announced = NOT_ANNOUNCED,  # noqa: ARG002
    ) -> Finished:
        """Say nothing, and that it went well."""
        return Finished(self.inner.position())


class NoPublish(Adaptation):
    """A write tells nobody. The write path that somebody added later, past the cache."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around L2."""
        return replace(parts, shared=_Mute(parts.shared))


class _ClearedFirst(Around):
    """L2 that is cleared before the commit, and not again."""

    def announce(self, invalidation: Invalidation) -> Announced:
        """Clear: too early."""
        announced: Announced = self.inner.announce(invalidation)
        self.inner.finish(invalidation, (), announced)
        return NOT_ANNOUNCED

    def finish(
        self,
        invalidation: Invalidation,  # noqa: ARG002
        stores: Sequence[Store] = (),  # noqa: ARG002
        announced: Announced = NOT_ANNOUNCED,  # noqa: ARG002
    ) -> Finished:
        """Believe that it was done."""
        return Finished(self.inner.position())


class InvalidateBeforeCommit(Adaptation):
    """The entry is deleted before the commit: a reader in between fills it with the old row (hazard 9)."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around L2."""
        return replace(parts, shared=_ClearedFirst(parts.shared))


class _Stubborn(Around):
    """L2 whose refusals are not accepted."""

    def fill(self, address: Address, load: Load, loaded: Loaded, ttl_s: float, stale_s: float = 0.0) -> Filled:
        """When a fill is refused, get another permission and offer the same old value again."""
        filled: Filled = self.inner.fill(address, load, loaded, ttl_s, stale_s)
        if filled.stored:
            return filled
        found = self.inner.lookup(address)
        if isinstance(found, Load):
            filled = self.inner.fill(address, found, loaded, ttl_s, stale_s)
        return filled


class LateFill(Adaptation):
    """A fill whose load began before an invalidation is kept: "retry until it is stored" (hazards 1 and 2)."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around L2."""
        return replace(parts, shared=_Stubborn(parts.shared))


class _Leaky(Around):
    """A journal that forgets some of what it holds before the database has it."""

    def pending(self, limit: int) -> Sequence[Operation]:
        """Give out the waiting operations but every seventh version, which is called drained."""
        kept = []
        for operation in self.inner.pending(limit):
            if operation.version % 7:
                kept.append(operation)
            else:
                self.inner.drained(operation, NOTHING)
        return kept


class LostWriteBehind(Adaptation):
    """An operation is acknowledged to the journal before the database has it: a crash, or a bug, loses it."""

    def adapters(self, adapters: Adapters, settings: CacheSettings, clock: Clock) -> Adapters:  # noqa: ARG002
        """Around the journal."""
        return replace(adapters, journal=cast(Journal, _Leaky(adapters.journal)))
