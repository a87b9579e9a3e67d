"""Bugs of time: a unit that is another one, an absence that lasts, and an order that is taken from wall clocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import cast

from msgspec.structs import replace
from tocsin.backplane import Hear
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.invalidation import Invalidation
from tocsin.local import Local, LocalEntry
from tocsin.names import Names
from tocsin.settings import CacheSettings
from tocsin.shared import NOT_ANNOUNCED, Announced, Finished, Store

from planted.adaptation import Adaptation
from planted.around import Around

NEGATIVE_S = 60.0
STAMP = "at:"


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

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Add the time."""
        names = invalidation.names
        stamped = replace(names, tags=(*names.tags, f"{STAMP}{time.time():.6f}"))
        finished: Finished = self.inner.finish(replace(invalidation, names=stamped), stores, announced)
        return finished


class _Dated(Around):
    """L1 that knows at what time by the wall clock it took each entry."""

    def __init__(self, inner: Local) -> None:
        super().__init__(inner)
        self.taken: dict[str, float] = {}

    def put(self, key: str, entry: LocalEntry) -> bool:
        """Note the time."""
        self.taken[key] = time.time()
        kept: bool = self.inner.put(key, entry)
        return kept


class _Comparing(Around):
    """A listener that drops only what is older, by the clocks on two walls."""

    def __init__(self, inner: object, local: _Dated) -> None:
        super().__init__(inner)
        self._local = local

    def start(self, hear: Hear) -> None:
        """Listen, and compare."""

        def compare(names: Names) -> None:
            stamp = next((tag for tag in names.tags if tag.startswith(STAMP)), None)
            if stamp is None:
                hear(names)
                return
            written_s = float(stamp.removeprefix(STAMP))
            older = tuple(key for key in names.keys if self._local.taken.get(key, 0.0) < written_s)
            hear(replace(names, keys=older, tags=tuple(tag for tag in names.tags if tag != stamp)))

        self.inner.start(compare)


class WallClock(Adaptation):
    """What is older than what one has is ignored, by wall clocks: right until two of them differ. For `pubsub`."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around L2, L1 and the listener."""
        if parts.local is None:
            return parts
        local = _Dated(parts.local)
        return replace(
            parts,
            shared=_Stamped(parts.shared),
            local=cast(Local, local),
            backplane=_Comparing(parts.backplane, local),
        )
