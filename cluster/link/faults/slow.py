"""Slow: a link that takes its time (latency), or carries only so much (bandwidth); all of it arrives, in order.

    latency      chunk ── latency_ms ± jitter_ms ──▶ out, never before the chunk that came before it
    bandwidth    chunk ── when the chunks before it are through, and its own bytes ÷ kilobytes_per_s later ──▶ out

An end and a break wait in the same queue, so they come as late as bytes do. When more than a quarter of a megabyte
waits, the sender is not read, as TCP would stop it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.link.connection import Pipe
    from cluster.link.faults.fault import Carrier

WAITING_BYTES_MAX = 1 << 18

Due = Callable[[float, int], float]
"""When a chunk that came at a moment, of so many bytes, is through."""


@dataclass(frozen=True, slots=True)
class Latency:
    """Every chunk is late by `latency_ms`, more or less by up to `jitter_ms`, by chance from `seed`."""

    name: str = "latency"
    listens: bool = True
    dials: bool = True
    one_way: bool = True
    latency_ms: float = 100.0
    jitter_ms: float = 0.0
    seed: int = 0

    def carrier(self, pipe: Pipe) -> Carrier:
        """A queue in which everything waits as long as this says."""
        chance = Random(self.seed)  # noqa: S311  # chance, not a secret

        def due(now_s: float, size: int) -> float:  # noqa: ARG001  # of any size
            late_ms = self.latency_ms + chance.uniform(-self.jitter_ms, self.jitter_ms)
            return now_s + max(0.0, late_ms) / 1000

        return Queue(pipe, due)


@dataclass(frozen=True, slots=True)
class Bandwidth:
    """Each connection carries `kilobytes_per_s` (of 1,000 bytes) in this direction, and no more."""

    name: str = "bandwidth"
    listens: bool = True
    dials: bool = True
    one_way: bool = True
    kilobytes_per_s: float = 16.0

    def carrier(self, pipe: Pipe) -> Carrier:
        """A queue in which a chunk takes its bytes' time."""
        free_s = 0.0

        def due(now_s: float, size: int) -> float:
            nonlocal free_s
            free_s = max(free_s, now_s) + size / (1000 * max(self.kilobytes_per_s, 0.001))
            return free_s

        return Queue(pipe, due)


class Queue:
    """Holds things back until they are due; in the order in which they came."""

    __slots__ = ("_due", "_last_s", "_loop", "_queue", "_timer", "_waiting_bytes", "pipe")

    def __init__(self, pipe: Pipe, due: Due) -> None:
        self.pipe = pipe
        self._due = due
        self._loop = asyncio.get_running_loop()
        self._queue: deque[tuple[float, int, Callable[[], None]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._last_s = 0.0
        self._waiting_bytes = 0

    def chunk(self, data: bytes) -> None:
        """Bytes wait; they are counted as late when they leave."""

        def leave() -> None:
            self.pipe.tally.late_bytes += len(data)
            self.pipe.deliver(data)

        self._wait(len(data), leave)

    def end(self) -> None:
        """The end waits as bytes do."""
        self._wait(0, self.pipe.finish)

    def broke(self) -> None:
        """So does a break."""
        self._wait(0, self.pipe.connection.reset)

    def heal(self) -> None:
        """Everything that waits leaves now, in order."""
        if self._timer is not None:
            self._timer.cancel()
        self._leave(everything=True)

    def _wait(self, size: int, leave: Callable[[], None]) -> None:
        # Never before what came before it: jitter may not reorder the bytes of one connection.
        self._last_s = max(self._last_s, self._due(self._loop.time(), size))
        self._queue.append((self._last_s, size, leave))
        self._waiting_bytes += size
        if self._waiting_bytes > WAITING_BYTES_MAX:
            self.pipe.hold()
        if self._timer is None:
            self._timer = self._loop.call_at(self._last_s, self._leave)

    def _leave(self, *, everything: bool = False) -> None:
        self._timer = None
        now_s = self._loop.time()
        while self._queue and (everything or self._queue[0][0] <= now_s):
            _, size, leave = self._queue.popleft()
            self._waiting_bytes -= size
            leave()
        if self._waiting_bytes <= WAITING_BYTES_MAX:
            self.pipe.release()
        if self._queue:
            self._timer = self._loop.call_at(self._queue[0][0], self._leave)
