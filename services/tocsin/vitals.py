"""Vitals: how a worker is at this moment, for a gauge or a person.

What always holds: `staleness_bound_s` is about now, and from evidence. Under `sequenced` and `strict` it is the time
since the node last proved that it had heard everything, a fifth of a second while all is well; when the lease is over
nothing is shown from L1, and the bound is 0. The other strategies have no evidence: their bound is the time to live.
"""

import threading
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from tocsin.backplane import Hearing
from tocsin.local import Levels
from tocsin.position import Position
from tocsin.settings import CacheSettings, Strategy


class Vitals(Struct, frozen=True):
    """One worker, now. `position` and `lease_s` are None where the strategy has none."""

    hears: bool
    position: Position | None
    lease_s: float | None
    staleness_bound_s: float
    l1_entries: int
    l1_bytes: int


def staleness_bound_s(settings: CacheSettings, hearing: Hearing) -> float:
    """Return for how long an answer given now may have been untrue, at most; a labelled stale one apart."""
    match settings.strategy:
        case Strategy.SEQUENCED | Strategy.STRICT:
            return 0.0 if hearing.lease_s is None else max(0.0, settings.lease_s - hearing.lease_s)
        case Strategy.NO_CACHE | Strategy.VERSIONED:
            return 0.0
        case Strategy.L2_ONLY:
            return settings.l2_ttl_s  # a late fill
        case _:
            return settings.l1_ttl_s + settings.l2_ttl_s  # a late fill, copied at the end of its life


class Watched(Protocol):
    """What is asked of a cache: `tocsin.Cache` is one."""

    settings: CacheSettings

    def hearing(self) -> Hearing:
        """Return whether it hears invalidations."""

    def levels(self) -> Levels:
        """Return how full its L1 is."""


def vitals_of(cache: Watched) -> Vitals:
    """Return how the worker of a cache is now."""
    hearing, levels = cache.hearing(), cache.levels()
    return Vitals(
        hears=hearing.hears,
        position=hearing.position,
        lease_s=hearing.lease_s,
        staleness_bound_s=staleness_bound_s(cache.settings, hearing),
        l1_entries=levels.entries,
        l1_bytes=levels.bytes,
    )


class Monitor:
    """Shows something every second, from a thread of its own, for as long as the process serves."""

    def __init__(self, show: Callable[[], None], *, every_s: float = 1.0) -> None:
        self._show = show
        self._every_s = every_s
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread, in the process that serves."""
        self._thread = threading.Thread(target=self._run, name="tocsin-monitor", daemon=True)
        self._thread.start()

    def stop(self, within_s: float = 1.0) -> None:
        """Ask it to end, and wait at most so long."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(within_s)

    def _run(self) -> None:
        while True:
            self._show()
            # Waits for: the next second, or the end.
            if self._ending.wait(self._every_s):
                return
