"""Starting: a cache that starts itself in each process that uses it, as an application does not know when it forks.

    gunicorn master: app created, nothing opened ──fork──▶ worker: first use ──▶ start(), once

What always holds: a process starts its cache at most once, and never its parent's: a listener is a thread, and threads
do not survive a fork (hazard 34). Asking costs one comparison.
"""

import os
import threading

from tocsin.cache import Cache

_lock = threading.Lock()


class SelfStarting:
    """A cache, and the process in which it was started; `unstarted` is the cache for those who only look."""

    def __init__(self, cache: Cache) -> None:
        self.unstarted = cache
        self._started_in = 0

    def started(self) -> Cache:
        """Return the cache, started in this process."""
        if self._started_in != os.getpid():
            self._start()
        return self.unstarted

    def stop(self) -> None:
        """Stop the cache in this process; the next use starts it again."""
        with _lock:
            self._started_in = 0
            self.unstarted.stop()

    def _start(self) -> None:
        # Two first requests may arrive on two threads; a second listener would never be stopped.
        with _lock:
            if self._started_in != os.getpid():
                self.unstarted.start()
                self._started_in = os.getpid()


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.Lock()  # another thread of the parent may have held it at that moment


os.register_at_fork(after_in_child=_after_fork_in_child)
