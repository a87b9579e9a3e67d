"""Background: the port through which a refresh runs, on its reader's thread or on another.

    reader: an entry that is good still, and due ─▶ submit(key, work) ─▶ goes on with what it has
                                                        └─▶ one thread of a few: lookup, load, fill

A loader is the application's: it may hold what belongs to its thread (a request's context, a session, a SQLite
connection). So unless the settings give threads to refreshes (`refresh_threads`), the reader that finds an entry due
loads it itself, as if it were missing; all others go on.

What always holds: of one name at most one work is under way in a process; the number of threads and of waiting works is
bounded, and what finds no place is not done: the next reader tries again. A fork takes no work along.
"""

import contextlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Protocol

from tocsin.clock import Clock, Gate

Work = Callable[[], None]
"""It must not raise: whoever submits it knows what to do about its errors."""

WAITING_MAX = 64


class Background(Protocol):
    """The port."""

    def submit(self, name: str, work: Work) -> bool:
        """Do `work`, now or soon, unless one of this name is under way or there is no place; return whether."""

    def renew(self) -> None:
        """Begin anew in the child of a fork: no work is under way, and no thread is there."""

    def stop(self, within_s: float) -> None:
        """Begin nothing more, and wait for what is under way, at most `within_s` seconds."""


class OnReader:
    """Work is done by whoever submits it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.renew()

    def renew(self) -> None:
        """Begin anew."""
        self._lock = self._clock.lock()
        self._names: set[str] = set()

    def submit(self, name: str, work: Work) -> bool:
        """Do it now."""
        with self._lock:
            # Two threads may find the same entry due; without the lock both would begin.
            if name in self._names:
                return False
            self._names.add(name)
        try:
            work()
        finally:
            self._names.discard(name)
        return True

    def stop(self, within_s: float) -> None:
        """Do nothing: there is no thread."""


class Threads:
    """Work is done on at most `threads_max` threads, which live as long as there is work.

    They are made when they are needed, so after any fork, and as greenlets where gevent has patched `threading`.
    """

    def __init__(self, threads_max: int, clock: Clock) -> None:
        self._threads_max = threads_max
        self._clock = clock
        self.renew()

    def renew(self) -> None:
        """Begin anew; the threads of the parent are not here."""
        self._lock = self._clock.lock()
        self._names: set[str] = set()
        self._waiting: deque[tuple[str, Work]] = deque()
        self._running = 0
        self._idle: Gate | None = None

    def submit(self, name: str, work: Work) -> bool:
        """Do it soon."""
        with self._lock:
            if self._idle is not None or name in self._names or len(self._waiting) >= WAITING_MAX:
                return False
            self._names.add(name)
            self._waiting.append((name, work))
            # Counted here and not by the thread itself, or two submits at once would each start the last one.
            starts = self._running < self._threads_max
            self._running += starts
        if starts:
            try:
                threading.Thread(target=self._work, name="tocsin-refresh", daemon=True).start()
            except RuntimeError:  # the system has no thread left for us; another's may take the work up
                with self._lock:
                    self._running -= 1
                    if not self._running:
                        self._forget_waiting()
                return False
        return True

    def stop(self, within_s: float) -> None:
        """Drop what waits, and wait for what is under way."""
        with self._lock:
            self._forget_waiting()
            if not self._running:
                return
            idle = self._idle = self._clock.gate()
        # Waits for: the loads under way. A loader that takes longer than this ends in its own time.
        idle.wait(within_s)
        with self._lock:
            self._idle = None

    def _forget_waiting(self) -> None:
        self._names.difference_update(name for name, _ in self._waiting)
        self._waiting.clear()

    def _work(self) -> None:
        while True:
            with self._lock:
                # Looking and ending are one step: a work that is added between them would wait for nobody.
                if not self._waiting:
                    self._running -= 1
                    if not self._running and self._idle is not None:
                        self._idle.open()
                    return
                name, work = self._waiting.popleft()
            try:
                with contextlib.suppress(Exception):  # it has told its observer; a thread that dies would be lost
                    work()
            finally:
                with self._lock:
                    self._names.discard(name)
