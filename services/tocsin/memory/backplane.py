"""Backplane: messages in memory, which wait in an inbox until somebody delivers them, loses them, or both.

What always holds: a message that is told while nobody has started, or while the connection is lost, is lost, as with
Redis; messages are delivered in order unless a test takes one out.
"""

import math
from collections import deque

from tocsin.backplane import Hear, Hearing
from tocsin.memory.store import MemoryStore
from tocsin.names import Names


class MemoryBackplane:
    """One node's backplane. With `prompt`, a message is delivered as it is told; else it waits in `inbox`.

    `tracks`: what is told is which entries of the store changed, instead of the names of each finish. `flushes`: all
    that L1 holds is dropped when the connection is lost and when it is made.
    """

    def __init__(self, store: MemoryStore, *, prompt: bool = True, tracks: bool = False, flushes: bool = False) -> None:
        self.inbox: deque[Names] = deque()
        self._prompt = prompt
        self._flushes = flushes
        self._hear: Hear | None = None
        self._connected = True
        (store.changing if tracks else store.telling).append(self._tell)

    def start(self, hear: Hear) -> None:
        """Begin to receive."""
        self._hear = hear
        self.reconnect()

    def stop(self, within_s: float) -> None:  # noqa: ARG002  # there is no thread to wait for
        """Cease to receive; what waits in the inbox is lost."""
        self.renew()

    def renew(self) -> None:
        """Forget what was started."""
        self._hear = None
        self.inbox.clear()

    def hearing(self) -> Hearing:
        """Return whether it was started, and is not lost."""
        return Hearing(hears=self._hears, detail="in memory")

    @property
    def heard_until_s(self) -> float:
        """Without end while it hears: whatever is told arrives, unless a test takes it out."""
        return math.inf if self._hears else 0.0

    @property
    def _hears(self) -> bool:
        return self._hear is not None and self._connected

    def lose(self) -> None:
        """Lose the connection, and know it."""
        self._connected = False
        self.inbox.clear()
        self._flush()

    def reconnect(self) -> None:
        """Make the connection again; what was told meanwhile is lost."""
        self._flush()
        self._connected = True

    def deliver(self) -> None:
        """Deliver all that waits, oldest first."""
        while self.inbox and self._hear is not None:
            self._hear(self.inbox.popleft())

    def _tell(self, names: Names) -> None:
        if self._hears:
            self.inbox.append(names)
            if self._prompt:
                self.deliver()

    def _flush(self) -> None:
        if self._flushes and self._hear is not None:
            self._hear(Names(everything=True))
