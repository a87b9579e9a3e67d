"""Bugs of a node's agent, under `sequenced`: gaps that are not repaired, leases that are too long."""

from __future__ import annotations

from typing import cast

from tocsin.clock import SystemClock
from tocsin.position import Position
from tocsin.sequencer import Feed, Log
from tocsin.settings import CacheSettings
from tocsin.sink import Sink

from planted.adaptation import Adaptation
from planted.around import Around


class _Forgetful(Around):
    """A feed whose log is never read: where it stands, but not what it holds."""

    def log(self, after: int) -> Log:
        """Return the position alone."""
        return Log(self.inner.log(after).position, ())


class _Unflushed(Around):
    """A table that takes a new position without clearing what was from before it."""

    def flush(self, position: Position) -> None:
        """Go on as if nothing had been missed; only another epoch is believed."""
        before = self.inner.take_over()
        if before.epoch == position.epoch:
            self.inner.apply(position.sequence, ())
        else:
            self.inner.flush(position)


class NoFlush(Adaptation):
    """Behind a gap or a reconnect the agent takes up where the log is, and clears nothing (hazard 4)."""

    def feed(self, feed: Feed, settings: CacheSettings) -> Feed:  # noqa: ARG002
        """Around the feed."""
        return cast(Feed, _Forgetful(feed))

    def sink(self, sink: Sink, settings: CacheSettings) -> Sink:  # noqa: ARG002
        """Around the table."""
        return cast(Sink, _Unflushed(sink))


class _Generous(Around):
    """A table whose lease counts from when the answer came, not from before the question."""

    def __init__(self, inner: Sink, lease_s: float) -> None:
        super().__init__(inner)
        self._lease_s = lease_s
        self._clock = SystemClock()

    def renew(self, deadline_s: float) -> None:  # noqa: ARG002
        """Prolong from now on."""
        self.inner.renew(self._clock.now() + self._lease_s)


class LeaseFromReply(Adaptation):
    """The lease is renewed from the reply's time: whatever was written while it was on its way is not covered (M03)."""

    def sink(self, sink: Sink, settings: CacheSettings) -> Sink:
        """Around the table."""
        return cast(Sink, _Generous(sink, settings.lease_s))
