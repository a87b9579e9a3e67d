"""Breaker: a Redis that does not answer is left alone for a while, so that reads answer in milliseconds.

    closed ── failure ──▶ open for retry_after_s ── one caller may try ──▶ success: closed; failure: open again

Without it a node that is cut off pays a timeout for every read. What always holds: after a failure, at most one
request goes out per `retry_after_s` until one succeeds. A try that never reports back (its thread died) costs one
period and cannot hold the breaker open.
"""

from tocsin.clock import Clock


class Breaker:
    """Allows or refuses requests; every request that was allowed reports `succeeded` or `failed`."""

    def __init__(self, *, retry_after_s: float, clock: Clock) -> None:
        self._retry_after_s = retry_after_s
        self._clock = clock
        self.renew()

    def renew(self) -> None:
        """Begin anew, closed: what the parent of a fork learned says nothing about the child's connections."""
        self._lock = self._clock.lock()
        self._closed = True
        self._try_at_s = 0.0

    def allows(self) -> bool:
        """Return whether a request may go out now; the caller to whom an open breaker says yes is the one try."""
        if self._closed:
            return True
        with self._lock:
            # Without the lock two callers could both find the moment reached, and both go and wait for a timeout.
            now_s = self._clock.now()
            if now_s < self._try_at_s:
                return False
            self._try_at_s = now_s + self._retry_after_s
            return True

    def succeeded(self) -> None:
        """Redis answered, be it with an error."""
        self._closed = True

    def failed(self) -> None:
        """Redis could not be reached, or did not answer in time."""
        with self._lock:
            self._try_at_s = self._clock.now() + self._retry_after_s
            self._closed = False
