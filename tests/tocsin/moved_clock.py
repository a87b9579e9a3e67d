"""Moved clock: time passes only when a test says so; locks and gates are the machine's, and waiters are counted."""

from __future__ import annotations

import threading

from tocsin.clock import Gate, SystemClock


class MovedClock(SystemClock):
    """A clock that stands at `seconds` until it is moved; `waiting` threads wait at its gates."""

    def __init__(self, seconds: float = 1000.0) -> None:
        self._seconds = seconds
        self.waiting = 0

    def now(self) -> float:
        return self._seconds

    def move(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._seconds += seconds

    def pause(self, seconds: float) -> None:
        """Let the pause pass at once."""
        self.move(seconds)

    def gate(self) -> Gate:
        return _CountedGate(self)


class _CountedGate:
    def __init__(self, clock: MovedClock) -> None:
        self._clock = clock
        self._event = threading.Event()
        self._lock = threading.Lock()

    def open(self) -> None:
        self._event.set()

    def wait(self, timeout_s: float) -> bool:
        with self._lock:
            self._clock.waiting += 1
        try:
            return self._event.wait(timeout_s)
        finally:
            with self._lock:
                self._clock.waiting -= 1
