"""Failing: the parts of a cache, with failpoints around them.

commit ──▶ after-commit ──▶ finish       load ──▶ before-fill ──▶ fill       heard ──▶ before-apply ──▶ applied
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

from msgspec.structs import replace
from tocsin.address import Address
from tocsin.backplane import Backplane, Hear
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Loaded
from tocsin.invalidation import Invalidation
from tocsin.names import Names
from tocsin.settings import CacheSettings
from tocsin.shared import NOT_ANNOUNCED, Announced, Filled, Finished, Load, SharedLevel, Store
from tocsin.sink import Sink

from planted.adaptation import Adaptation
from planted.around import Around
from planted.failpoint import Failpoints


class FailingShared(Around):
    """L2 that is reached late, or by nobody: after a commit, and before a fill."""

    def __init__(self, inner: SharedLevel, points: Failpoints) -> None:
        super().__init__(inner)
        self._points = points

    def fill(self, address: Address, load: Load, loaded: Loaded, ttl_s: float, stale_s: float = 0.0) -> Filled:
        """Be before a fill, then fill."""
        self._points.hit("before-fill", address.key)
        filled: Filled = self.inner.fill(address, load, loaded, ttl_s, stale_s)
        return filled

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Be behind a commit, then finish."""
        self._points.hit("after-commit", ",".join(invalidation.names.keys))
        finished: Finished = self.inner.finish(invalidation, stores, announced)
        return finished


class FailingBackplane(Around):
    """A listener that applies late what it heard, or dies of it."""

    def __init__(self, inner: Backplane, points: Failpoints) -> None:
        super().__init__(inner)
        self._points = points

    def start(self, hear: Hear) -> None:
        """Start with a failpoint before what is to be called."""

        def late(names: Names) -> None:
            self._points.hit("before-apply", ",".join(names.keys))
            hear(names)

        self.inner.start(late)


class FailingSink(Around):
    """An agent that applies late what it heard, or dies of it."""

    def __init__(self, inner: Sink, points: Failpoints) -> None:
        super().__init__(inner)
        self._points = points

    def apply(self, sequence: int, names: Iterable[str]) -> None:
        """Be before an application, then apply."""
        listed = tuple(names)
        self._points.hit("before-apply", ",".join(listed))
        self.inner.apply(sequence, listed)


class Failing(Adaptation):
    """Failpoints around everything that has one."""

    def __init__(self, points: Failpoints) -> None:
        self.points = points

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around L2, and around the listener where the strategy has one of its own."""
        shared = FailingShared(parts.shared, self.points)
        if settings.strategy.is_sequenced:
            return replace(parts, shared=shared)
        return replace(parts, shared=shared, backplane=FailingBackplane(parts.backplane, self.points))

    def sink(self, sink: Sink, settings: CacheSettings) -> Sink:  # noqa: ARG002
        """Around the node's table."""
        return cast(Sink, FailingSink(sink, self.points))
