"""Backplane: messages in memory, which wait in an inbox until somebody delivers them, loses them, or both.

What always holds: a message that is told while nobody has started is lost, as with Redis; messages are delivered in
order unless a test takes one out.
"""

from collections import deque

from tocsin.backplane import Hear, Hearing
from tocsin.memory.store import MemoryStore
from tocsin.names import Names


class MemoryBackplane:
    """One node's backplane. With `prompt`, a message is delivered as it is told; else it waits in `inbox`."""

    def __init__(self, store: MemoryStore, *, prompt: bool = True) -> None:
        self.inbox: deque[Names] = deque()
        self._prompt = prompt
        self._hear: Hear | None = None
        store.telling.append(self._tell)

    def start(self, hear: Hear) -> None:
        """Begin to receive."""
        self._hear = hear

    def stop(self, within_s: float) -> None:  # noqa: ARG002  # there is no thread to wait for
        """Cease to receive; what waits in the inbox is lost."""
        self.renew()

    def renew(self) -> None:
        """Forget what was started."""
        self._hear = None
        self.inbox.clear()

    def hearing(self) -> Hearing:
        """Return whether it was started."""
        return Hearing(hears=self._hear is not None, detail="in memory")

    def deliver(self) -> None:
        """Deliver all that waits, oldest first."""
        while self.inbox and self._hear is not None:
            self._hear(self.inbox.popleft())

    def _tell(self, names: Names) -> None:
        if self._hear is not None:
            self.inbox.append(names)
            if self._prompt:
                self.deliver()
