"""Sequencer in memory: the port over a `MemoryServer`, as a client that is bound to a run of it.

    adapter ── step ──▶ server     after a restart: LostError once, then the adapter begins an epoch and repeats

What always holds: a step is one uninterrupted piece of work under a lock, like a script in Redis.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

from tocsin.entry import Entry, Miss
from tocsin.errors import Happened, Unavailable
from tocsin.memory.sequenced_state import LostError, MemoryServer
from tocsin.message import Kind, Message, message_text
from tocsin.position import Position
from tocsin.sequencer import (
    Announcement,
    Busy,
    Ended,
    Given,
    Glimpsed,
    Holder,
    Kept,
    Log,
    Lying,
    Permitted,
    Put,
    Subscription,
    Token,
    Writing,
)

Result = TypeVar("Result")


class MemorySequencer:
    """The sequencer of one namespace, and the feed of its agents. `wait` waits for a text, at most so many seconds."""

    def __init__(
        self, server: MemoryServer, lock: AbstractContextManager[object], wait: Callable[[float], None]
    ) -> None:
        self._server = server
        self._lock = lock
        self._wait = wait
        self._run = 0

    def announce(self, writer: str, names: Sequence[str], *, strict: bool = False) -> Announcement:
        """See `tocsin.sequencer.Sequencer`."""
        return self._step(lambda: self._server.announce(writer, names, strict=strict))

    def finish(
        self, writer: str, names: Sequence[str], *, announced: Position | None = None, puts: Sequence[Put] = ()
    ) -> Ended:
        """See `tocsin.sequencer.Sequencer`."""
        return self._step(lambda: self._server.finish(writer, names, announced, puts))

    def lookup(self, key: str, owner: str, early_s: float = 0.0) -> Given | Writing | Permitted | Busy:
        """See `tocsin.sequencer.Sequencer`."""
        return self._step(lambda: self._server.lookup(key, owner, early_s))

    def glimpse(self, keys: Sequence[str]) -> Glimpsed:
        """See `tocsin.sequencer.Sequencer`."""
        with self._lock:
            tables = self._server.tables
            position = Position(tables.epoch, tables.sequence or 0)
            return Glimpsed(position, tuple(_lying(self._server, key) for key in keys))

    def peek(self, keys: Sequence[str]) -> list[Given | Miss]:
        """See `tocsin.sequencer.Sequencer`."""
        return self._step(lambda: [self._server.peek(key) for key in keys])

    def fill(self, put: Put, token: Token) -> Kept:
        """See `tocsin.sequencer.Sequencer`."""
        return self._step(lambda: self._server.fill(put, token))

    def release(self, key: str, token: Token) -> bool:
        """See `tocsin.sequencer.Sequencer`."""
        return self._step(lambda: self._server.release(key, token))

    def position(self) -> Position:
        """See `tocsin.sequencer.Sequencer`."""
        return self._step(self._server.position)

    def holders(self) -> Mapping[str, Holder]:
        """See `tocsin.sequencer.Sequencer`."""
        return self._step(lambda: dict(self._server.tables.nodes))

    def retire(self, node: str, beats: int) -> bool:
        """See `tocsin.sequencer.Sequencer`."""

        def step() -> bool:
            nodes = self._server.tables.nodes
            if node not in nodes or nodes[node].beats != beats:
                return False
            del nodes[node]
            return True

        return self._step(step)

    def subscribe(self) -> Subscription:
        """See `tocsin.sequencer.Feed`."""
        inbox: deque[str] = deque()
        self._server.inboxes.append(inbox)
        return MemorySubscription(self._server, inbox, self._wait)

    def beat(self, node: str, beats: int, applied: Position, *, canary: str = "") -> Position:
        """See `tocsin.sequencer.Feed`."""

        def step() -> Position:
            self._server.tables.nodes[node] = Holder(beats, applied)
            position = self._server.position()
            if canary:
                question = Message(Position(position.epoch, beats), Kind.CANARY, (canary,))
                self._server.publish(message_text(question))
            return position

        return self._step(step)

    def acknowledge(self, node: str, beats: int, applied: Position) -> None:
        """See `tocsin.sequencer.Feed`."""
        self._step(lambda: self._server.tables.nodes.__setitem__(node, Holder(beats, applied)))

    def log(self, after: int) -> Log:
        """See `tocsin.sequencer.Feed`."""
        return self._step(lambda: self._server.log(after))

    def begin_epoch(self, after: int) -> Position:
        """See `tocsin.sequencer.Feed`."""
        with self._lock:
            self._run = self._server.run
            return self._server.begin(after)

    def sweep(self) -> int:
        """See `tocsin.sequencer.Feed`."""
        return self._step(self._server.sweep)

    def _step(self, step: Callable[[], Result]) -> Result:
        with self._lock:
            try:
                self._server.whole(self._run)
            except LostError:
                self._run = self._server.run
                self._server.begin(0)
            return step()


def _lying(server: MemoryServer, key: str) -> Lying | Miss:
    """Return what lies under `key` and has not expired."""
    stored = server.tables.entries.get(key)
    if stored is None:
        return Miss("uri-miss")
    put, age_s = stored.put, server.now() - stored.stored_s
    if age_s >= put.ttl_s:
        return Miss("uri-miss")
    loaded = put.loaded
    entry = Entry(loaded.value, loaded.version, loaded.tags, put.ttl_s - age_s, age_s, loaded.load_s)
    return Lying(entry, stored.base, put.names)


class MemorySubscription:
    """What a server tells; a restart of the server cuts it."""

    def __init__(self, server: MemoryServer, inbox: deque[str], wait: Callable[[float], None]) -> None:
        self._server = server
        self._inbox = inbox
        self._wait = wait

    def receive(self, within_s: float) -> str | None:
        """Return the next text, or None; raise `Unavailable` when the server has cut the subscription."""
        if not self._inbox:
            self._wait(within_s)
        if self._inbox:
            return self._inbox.popleft()
        if not any(inbox is self._inbox for inbox in self._server.inboxes):
            raise Unavailable("the subscription was cut", detail="redis-unreachable", happened=Happened.NO)
        return None

    def close(self) -> None:
        """End the subscription."""
        self._server.inboxes[:] = [inbox for inbox in self._server.inboxes if inbox is not self._inbox]
