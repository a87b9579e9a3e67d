"""Moved clock: time that passes only when a test says so; locks and gates are the machine's."""

from __future__ import annotations

from tocsin.clock import SystemClock


class MovedClock(SystemClock):
    """A clock that stands at `seconds` until it is moved."""

    def __init__(self, seconds: float = 1000.0) -> None:
        self._seconds = seconds

    def now(self) -> float:
        return self._seconds

    def move(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self._seconds += seconds
