"""Adaptation: how what is planted gets around the parts of a cache. The default is to leave everything as it is.

    tocsin.connect ── settings, adapters, parts ──▶ each may be replaced by one that wraps it
    tocsin agent   ── feed, sink ─────────────────▶ the same, in the agent's process

Several are put around each other in order, the last outermost.
"""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.assembly import Adapters
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.sequencer import Feed
from tocsin.settings import CacheSettings
from tocsin.sink import Sink


class Adaptation:
    """Leaves everything as it is; see `tocsin.assembly.Adapt`. What is planted overrides one of these."""

    def settings(self, settings: CacheSettings) -> CacheSettings:
        """Return the settings to compose with."""
        return settings

    def adapters(self, adapters: Adapters, settings: CacheSettings, clock: Clock) -> Adapters:  # noqa: ARG002
        """Return the adapters to compose with."""
        return adapters

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Return the parts of the strategy."""
        return parts

    def feed(self, feed: Feed, settings: CacheSettings) -> Feed:  # noqa: ARG002
        """Return what the agent follows."""
        return feed

    def sink(self, sink: Sink, settings: CacheSettings) -> Sink:  # noqa: ARG002
        """Return what the agent keeps."""
        return sink


class Together(Adaptation):
    """Several, each around those before it."""

    def __init__(self, adaptations: Sequence[Adaptation]) -> None:
        self._adaptations = adaptations

    def settings(self, settings: CacheSettings) -> CacheSettings:
        """Return the settings as all of them make them."""
        for each in self._adaptations:
            settings = each.settings(settings)
        return settings

    def adapters(self, adapters: Adapters, settings: CacheSettings, clock: Clock) -> Adapters:
        """Return the adapters as all of them make them."""
        for each in self._adaptations:
            adapters = each.adapters(adapters, settings, clock)
        return adapters

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:
        """Return the parts as all of them make them."""
        for each in self._adaptations:
            parts = each.parts(parts, settings, clock)
        return parts

    def feed(self, feed: Feed, settings: CacheSettings) -> Feed:
        """Return the feed as all of them make it."""
        for each in self._adaptations:
            feed = each.feed(feed, settings)
        return feed

    def sink(self, sink: Sink, settings: CacheSettings) -> Sink:
        """Return the sink as all of them make it."""
        for each in self._adaptations:
            sink = each.sink(sink, settings)
        return sink
