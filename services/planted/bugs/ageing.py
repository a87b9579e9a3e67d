"""Bugs of time: a unit that is another one, an absence that lasts, and an order that is taken from wall clocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import cast

from msgspec.structs import replace
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.invalidation import Invalidation
from tocsin.local import Local, LocalEntry
from tocsin.names import Names
from tocsin.settings import CacheSettings
from tocsin.shared import NOT_ANNOUNCED, Announced, Finished, Store
from tocsin.sink import Sink

from planted.adaptation import Adaptation
from planted.around import Around

NEGATIVE_S = 60.0
STAMP = "at:"
OLD_S = 2.0


class TtlUnit(Adaptation):
    """Milliseconds where seconds are meant: everything lives a thousand times as long."""

    def settings(self, settings: CacheSettings) -> CacheSettings:
        """Multiply both."""
        return replace(settings, l1_ttl_s=settings.l1_ttl_s * 1000, l2_ttl_s=settings.l2_ttl_s * 1000)


class _Pessimist(Around):
    """L1 that believes an absence for a minute, whatever it is told."""

    def __init__(self, inner: Local, now: Callable[[], float]) -> None:
        super().__init__(inner)
        self._now = now

    def put(self, key: str, entry: LocalEntry) -> bool:
        """Keep an absence for long."""
        if entry.value is None:
            entry = replace(entry, expires_s=self._now() + NEGATIVE_S)
        kept: bool = self.inner.put(key, entry)
        return kept

    def drop(self, names: Names) -> None:
        """Drop what is there; what is not there can't be dropped, one might think."""
        absent = {key: entry for key in names.keys if (entry := self.inner.kept(key)) and entry.value is None}
        self.inner.drop(names)
        for key, entry in absent.items():
            self.inner.put(key, entry)


class NegativeKept(Adaptation):
    """A cached 404 is not invalidated by the write that creates the thing."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around L1."""
        return replace(parts, local=parts.local and cast(Local, _Pessimist(parts.local, clock.now)))


class _Stamped(Around):
    """L2 whose messages carry the writer's wall clock, as one more tag."""

    def announce(self, invalidation: Invalidation) -> Announced:
        """Add the time."""
        announced: Announced = self.inner.announce(_stamped(invalidation))
        return announced

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Add the time."""
        finished: Finished = self.inner.finish(_stamped(invalidation), stores, announced)
        return finished


def _stamped(invalidation: Invalidation) -> Invalidation:
    names = invalidation.names
    return replace(invalidation, names=replace(names, tags=(*names.tags, f"{STAMP}{time.time():.6f}")))


class _Comparing(Around):
    """A node's table that does not apply what is old, by the clocks on two walls."""

    def apply(self, sequence: int, names: Iterable[str]) -> None:
        """Apply a message unless it looks like one from long ago."""
        listed = tuple(names)
        stamp = next((name for name in listed if name.startswith(f"t:{STAMP}")), None)
        if stamp is not None and time.time() - float(stamp.removeprefix(f"t:{STAMP}")) > OLD_S:
            listed = ()
        self.inner.apply(sequence, listed)


class WallClock(Adaptation):
    """What is older than two seconds is a repetition, and ignored: by wall clocks, until two of them differ."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around L2, whose messages get the time."""
        return replace(parts, shared=_Stamped(parts.shared))

    def sink(self, sink: Sink, settings: CacheSettings) -> Sink:  # noqa: ARG002
        """Around the node's table."""
        return cast(Sink, _Comparing(sink))
