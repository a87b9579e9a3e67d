"""Loading: the way to what is cached, usually a database, with a bound on how hard it is asked.

    load ─▶ breaker of its source ─▶ permit ─▶ loader ─▶ Loaded, with the time it took
              └ open: LoadRefused      └ none in time: LoadRefused

A cache takes most of the load off its database, and the database is sized for the rest. When Redis is lost, or
everything is cleared, all of it comes back at once (hazard 25). So each source of loads (`Policy.source`) has a pool of
permits and a breaker, in each process.

What always holds: a source has at most `loads_max` loads under way, and whoever waits for one waits at most
`load_wait_s`. After `load_failures_max` failures in a row a source is left alone: one load in `load_retry_after_s`
tries it until one succeeds. Only errors that say that the source is in trouble (`trouble`) count as failures; a loader
that raises anything else has been answered. A load that runs within another takes no second permit: with all permits
held by threads that wait for a second one, nobody would go on.
"""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Final

from msgspec.structs import replace

from tocsin.breaker import Breaker
from tocsin.clock import Clock
from tocsin.entry import Loaded
from tocsin.errors import LoadRefused
from tocsin.observer import LoadOutcome, Observer
from tocsin.permits import Permits
from tocsin.settings import CacheSettings

Loader = Callable[[], Loaded]
"""Reads the database. It is called after the lookup, and must begin its transaction after it was called (hazard 38)."""

Trouble = tuple[type[Exception], ...]

UNREACHABLE: Final[Trouble] = (OSError,)
"""What says of any source that it is in trouble: ConnectionError and TimeoutError are OSErrors."""

_within: ContextVar[frozenset[str]] = ContextVar("tocsin_loading", default=frozenset())


class Source:
    """One source of loads, as one process sees it."""

    def __init__(self, settings: CacheSettings, clock: Clock) -> None:
        self.permits = Permits(settings.loads_max, clock)
        self.breaker = Breaker(
            retry_after_s=settings.load_retry_after_s, clock=clock, failures_max=settings.load_failures_max
        )


class Loading:
    """Runs the loads of one process; `trouble` are the errors of a loader that say that its source is in trouble."""

    def __init__(
        self, *, settings: CacheSettings, clock: Clock, observer: Observer, trouble: Trouble = UNREACHABLE
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self.trouble = (*trouble, *UNREACHABLE)
        self.renew()

    def renew(self) -> None:
        """Begin anew in the child of a fork."""
        self._lock = self._clock.lock()
        self._sources: dict[str, Source] = {}

    def run(self, load: Loader, name: str) -> Loaded:
        """Return what `load` finds; raise what it raises, or `LoadRefused` without having called it."""
        begun_s = self._clock.now()
        within = _within.get()
        if name in within:
            return self._timed(load, name, begun_s)
        source = self._sources.get(name) or self._new_source(name)
        if not source.breaker.allows():
            self._observer.loaded(name, 0.0, LoadOutcome.BROKEN)
            raise LoadRefused(
                f"loads from {name!r} failed {self._settings.load_failures_max} times in a row, so it is left alone for"
                f" {self._settings.load_retry_after_s:g} s (load_retry_after_s)",
                detail="source-broken",
            )
        if not source.permits.take(self._settings.load_wait_s):
            self._observer.loaded(name, self._clock.now() - begun_s, LoadOutcome.CROWDED)
            raise LoadRefused(
                f"{self._settings.loads_max} loads from {name!r} are under way in this process (loads_max), and none"
                f" ended within {self._settings.load_wait_s:g} s (load_wait_s)",
                detail="source-crowded",
            )
        token = _within.set(within | {name})
        try:
            loaded = self._timed(load, name, begun_s)
        except self.trouble:
            source.breaker.failed()
            raise
        except Exception:
            source.breaker.succeeded()  # it was answered, be it with an error of the application's own
            raise
        finally:
            _within.reset(token)
            source.permits.give_back()
        source.breaker.succeeded()
        return loaded

    def _timed(self, load: Loader, name: str, begun_s: float) -> Loaded:
        """Load, and measure it: the time is XFetch's δ, so waiting for a permit is no part of it."""
        called_s = self._clock.now()
        try:
            loaded = load()
        except BaseException:
            self._observer.loaded(name, self._clock.now() - begun_s, LoadOutcome.FAILED)
            raise
        ended_s = self._clock.now()
        self._observer.loaded(name, ended_s - begun_s, LoadOutcome.LOADED)
        return replace(loaded, load_s=ended_s - called_s) if ended_s > called_s else loaded

    def _new_source(self, name: str) -> Source:
        with self._lock:
            # Two first loads may come at once; each would have a pool of its own, and twice as many loads be under way.
            return self._sources.setdefault(name, Source(self._settings, self._clock))
