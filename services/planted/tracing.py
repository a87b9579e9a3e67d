"""Tracing: the parts of a cache, with what they do to invalidations and copies written down.

    writer      announced · published · cleared · unpublished   (L2's announce and finish)
    hearer      applied · flushed · suspended · renewed      (a listener's names; an agent's sink)
    reader      hit (of L2) · filled · refused · kept        (L2's lookup and fill; what L1 takes)

Names are those of `tocsin.message`: `k:product:7`, `t:category:toys`, `n:products`. A line is written when the thing
has happened, so its time is an upper bound; `announced` and `published` carry the number that they got, if any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

from msgspec.structs import replace
from tocsin.address import Address
from tocsin.backplane import Hear
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Loaded
from tocsin.errors import Unavailable
from tocsin.invalidation import Invalidation
from tocsin.local import Local, LocalEntry
from tocsin.message import key_name, names_in
from tocsin.names import Names
from tocsin.position import Position
from tocsin.settings import CacheSettings, Strategy
from tocsin.shared import NOT_ANNOUNCED, Announced, Filled, Finished, Found, Glimpse, Hit, Load, SharedLevel, Store
from tocsin.sink import Sink

from planted.adaptation import Adaptation
from planted.around import Around
from planted.trace import Trace


class TracingShared(Around):
    """L2, as writers and readers of one process use it."""

    def __init__(self, inner: SharedLevel, trace: Trace, *, tells: bool) -> None:
        super().__init__(inner)
        self._trace = trace
        self._finished = "published" if tells else "cleared"

    def lookup(self, address: Address, *more: Any) -> Found:
        """Write down a hit."""
        found: Found = self.inner.lookup(address, *more)
        if isinstance(found, Hit):
            self._trace.write(
                "hit", (key_name(address.key),), version=found.entry.version, layer="l2", position=found.position
            )
        return found

    def glimpse(self, addresses: Sequence[Address], *more: Any) -> Glimpse | None:
        """Write down the hits among many. None passes: under write-behind, say, L2 is not judged by glimpses."""
        glimpse: Glimpse | None = self.inner.glimpse(addresses, *more)
        for address, each in zip(addresses, glimpse.found, strict=True) if glimpse is not None else ():
            if isinstance(each, Hit):
                names = (key_name(address.key),)
                self._trace.write("hit", names, version=each.entry.version, layer="l2", position=each.position)
        return glimpse

    def fill(self, address: Address, load: Load, loaded: Loaded, *more: float) -> Filled:
        """Write down what became of it."""
        filled: Filled = self.inner.fill(address, load, loaded, *more)
        event = "filled" if filled.stored else "refused"
        self._trace.write(event, (key_name(address.key),), version=loaded.version, layer="l2", position=filled.position)
        return filled

    def announce(self, invalidation: Invalidation) -> Announced:
        """Write down the announcement."""
        announced: Announced = self.inner.announce(invalidation)
        self._trace.write("announced", names_in(invalidation.names), position=announced.position)
        return announced

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Write down that everybody was told (or, where the strategy tells nobody, that L2 was cleared), or neither."""
        names = names_in(invalidation.names)
        try:
            finished: Finished = self.inner.finish(invalidation, stores, announced)
        except Unavailable as error:
            self._trace.write("unpublished", names, detail=error.detail)
            raise
        self._trace.write(self._finished, names, position=finished.position)
        return finished


class TracingBackplane(Around):
    """A listener of one worker."""

    def __init__(self, inner: object, trace: Trace) -> None:
        super().__init__(inner)
        self._trace = trace

    def start(self, hear: Hear) -> None:
        """Start with what is to be called written down behind it."""

        def heard(names: Names) -> None:
            hear(names)
            flushes = getattr(names, "everything", False)
            self._trace.write("flushed" if flushes else "applied", names_in(names))

        self.inner.start(heard)


class TracingLocal(Around):
    """L1 of one worker."""

    def __init__(self, inner: Local, trace: Trace) -> None:
        super().__init__(inner)
        self._trace = trace

    def put(self, key: str, entry: LocalEntry) -> bool:
        """Write down what is kept, and the position as of which it was known good."""
        kept: bool = self.inner.put(key, entry)
        position = Position(entry.epoch, entry.base) if entry.epoch else None
        self._trace.write("kept", (key_name(key),), version=entry.version, layer="l1", position=position)
        return kept


class TracingSink(Around):
    """A node's table, as its agent keeps it."""

    def __init__(self, inner: Sink, trace: Trace) -> None:
        super().__init__(inner)
        self._trace = trace
        self._proved = False

    def apply(self, sequence: int, names: Iterable[str]) -> None:
        """Write down each invalidation."""
        listed = tuple(names)
        self.inner.apply(sequence, listed)
        self._trace.write("applied", listed, position=Position(0, sequence))

    def flush(self, position: Position) -> None:
        """Write down that everything was invalidated."""
        self.inner.flush(position)
        self._proved = False
        self._trace.write("flushed", position=position)

    def suspend(self) -> None:
        """Write down the end of a lease."""
        self.inner.suspend()
        if self._proved:
            self._trace.write("suspended")
        self._proved = False

    def renew(self, deadline_s: float) -> None:
        """Write down the first renewal after that."""
        self.inner.renew(deadline_s)
        if not self._proved:
            self._trace.write("renewed")
        self._proved = True


class Tracing(Adaptation):
    """A trace of everything that has to do with invalidations."""

    def __init__(self, trace: Trace) -> None:
        self._trace = trace

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around L1 and L2, and around the listener where the strategy has one of its own."""
        strategy = settings.strategy
        tells = strategy.is_sequenced or strategy in (Strategy.PUBSUB, Strategy.PUBSUB_FLUSH, Strategy.TRACKING)
        local = parts.local and cast(Local, TracingLocal(parts.local, self._trace))
        traced = replace(parts, shared=TracingShared(parts.shared, self._trace, tells=tells), local=local)
        if strategy.is_sequenced:
            return traced
        return replace(traced, backplane=TracingBackplane(parts.backplane, self._trace))

    def sink(self, sink: Sink, settings: CacheSettings) -> Sink:  # noqa: ARG002
        """Around the node's table."""
        return cast(Sink, TracingSink(sink, self._trace))
