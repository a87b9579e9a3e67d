"""Breaker: what does not answer is left alone for a while, so that its callers need not wait, and it can recover.

    closed ── so many failures in a row ──▶ open for retry_after_s ── one caller may try ──▶ success: closed
                                              ▲                                              failure: open again ─┐
                                              └───────────────────────────────────────────────────────────────────┘

Without it a node that is cut off pays a timeout for every read. What always holds: once it has opened, at most one
request goes out per `retry_after_s` until one succeeds. A try that never reports back (its thread died) costs one
period and cannot hold the breaker open.
"""

from tocsin.clock import Clock


class Breaker:
    """Allows or refuses requests; every request that was allowed reports `succeeded` or `failed`.

    It opens after `failures_max` failures with no success between them.
    """

    def __init__(self, *, retry_after_s: float, clock: Clock, failures_max: int = 1) -> None:
        self._retry_after_s = retry_after_s
        self._clock = clock
        self._failures_max = failures_max
        self.renew()

    def renew(self) -> None:
        """Begin anew, closed: what the parent of a fork learned says nothing about the child's connections."""
        self._lock = self._clock.lock()
        self._closed = True
        self._failures = 0
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
        """There was an answer, be it an error."""
        self._closed = True
        self._failures = 0

    def failed(self) -> None:
        """It could not be reached, or did not answer in time."""
        with self._lock:
            # Without the lock two failures could be counted as one.
            self._failures += 1
            if self._failures >= self._failures_max:
                self._try_at_s = self._clock.now() + self._retry_after_s
                self._closed = False
