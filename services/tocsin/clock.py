"""Clock: time, and waiting for another thread, as a port.

Everything in the core that reads a clock, takes a lock or waits does it here, so that a test can move time by hand
and a simulator can choose who goes next.

What always holds: `now()` never goes back and goes on while the machine sleeps. CLOCK_MONOTONIC stops in a suspended
system, so that an entry with two seconds to live would outlive a night; CLOCK_BOOTTIME does not, and is used where
there is one. Wall-clock time is never compared (hazard 13).
"""

import threading
import time
from contextlib import AbstractContextManager
from functools import partial
from typing import Final, Protocol

CLOCK_DRIFT: Final = 0.01
"""How much faster than another machine's a clock may run: a hundred times what quartz does."""


class Gate(Protocol):
    """Closed once, opened once; any number of threads may wait for it."""

    def open(self) -> None:
        """Let all who wait, and all who will, pass."""

    def wait(self, timeout_s: float) -> bool:
        """Wait until the gate is open, at most `timeout_s` seconds; return whether it is."""


class Clock(Protocol):
    """The port: what the core needs of time and of threads."""

    def now(self) -> float:
        """Return seconds since a fixed but unknown moment."""

    def lock(self) -> AbstractContextManager[object]:
        """Return a new lock for sections that neither wait nor call out."""

    def gate(self) -> Gate:
        """Return a new closed gate."""

    def pause(self, seconds: float) -> None:
        """Let so many seconds pass for the calling thread."""


class SystemClock:
    """The machine's own clock, and its threads (or greenlets, where gevent has patched `threading`)."""

    now = staticmethod(
        partial(time.clock_gettime, time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic
    )

    def lock(self) -> AbstractContextManager[object]:
        """Return a `threading.Lock`."""
        return threading.Lock()

    def gate(self) -> Gate:
        """Return a closed gate on a `threading.Event`."""
        return _ThreadGate()

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


class _ThreadGate:
    def __init__(self) -> None:
        self._event = threading.Event()

    def open(self) -> None:
        self._event.set()

    def wait(self, timeout_s: float) -> bool:
        return self._event.wait(timeout_s)
