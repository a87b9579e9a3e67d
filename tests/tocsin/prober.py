"""Prober: one writer and some readers that never stop, and what they saw, in the words of the promise.

    writer node: row := n, announce … finish, acknowledged at t          a new row every few milliseconds
    reader node: read began at s, and got n                              as fast as it can

The row stands for the database; reading it takes no time, so whatever is old came from a cache. What always holds: a
write counts as acknowledged only when it is not pending: while Redis can't be reached the prober finishes it again, as
a relay does. All moments are this process's monotonic clock's.
"""

from __future__ import annotations

import contextlib
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from tocsin import Cache, Layer, Loaded, Names

KEYS = ("product:1", "product:2")
WRITE_EVERY_S = 0.02
ENDS_WITHIN_S = 30.0


@dataclass
class Prober:
    """Rows, one per key, and everything that was read of them: when it began, which row, from which layer."""

    rows: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KEYS, 0))
    reads: dict[str, list[tuple[float, int, Layer]]] = field(default_factory=lambda: {key: [] for key in KEYS})
    acknowledged: dict[str, list[tuple[float, int]]] = field(default_factory=lambda: {key: [] for key in KEYS})
    pending: int = 0

    def read(self, cache: Cache, key: str) -> Layer:
        """Read once, and remember it."""
        began_s = time.monotonic()
        answer = cache.read(key, lambda: Loaded(b"%d" % self.rows[key], self.rows[key]))
        self.reads[key].append((began_s, int(answer.value or b"-1"), answer.layer))
        return answer.layer

    def write(self, cache: Cache, key: str, ending: threading.Event) -> None:
        """Write the next row of a key, and see that it becomes known."""
        number = self.rows[key] + 1
        with cache.writing(Names(keys=(key,))) as write:
            self.rows[key] = number
        pending = write.receipt.pending
        self.pending += pending
        while pending and not ending.wait(WRITE_EVERY_S):
            pending = cache.finish_again(Names(keys=(key,))).pending
        if not pending:
            self.acknowledged[key].append((time.monotonic(), number))

    @contextlib.contextmanager
    def running(self, reader: Cache, writer: Cache, *, threads: int = 2) -> Iterator[None]:
        """Read and write for the time of the block; what a thread raises is raised at its end."""
        ending = threading.Event()
        failed: list[BaseException] = []

        def reading(key: str) -> None:
            while not ending.is_set():
                self.read(reader, key)

        def writing() -> None:
            while not ending.is_set():
                for key in KEYS:
                    self.write(writer, key, ending)
                    ending.wait(WRITE_EVERY_S)

        def guarded(work: object, *arguments: object) -> None:
            try:
                work(*arguments)  # type: ignore[operator]
            except BaseException as error:  # noqa: BLE001  # told to the test when it joins
                failed.append(error)

        workers = [threading.Thread(target=guarded, args=(writing,))]
        workers += [threading.Thread(target=guarded, args=(reading, KEYS[each % len(KEYS)])) for each in range(threads)]
        for each in workers:
            each.start()
        try:
            yield
        finally:
            ending.set()
            for each in workers:
                each.join(ENDS_WITHIN_S)
        assert not failed, failed
        assert not any(each.is_alive() for each in workers)

    def worst_staleness_s(self) -> float:
        """Return by how much the stalest read was too old: its beginning minus the acknowledgement of the next row."""
        worst_s = 0.0
        for key in KEYS:
            moments = [at_s for at_s, _ in self.acknowledged[key]]
            numbers = [number for _, number in self.acknowledged[key]]
            for began_s, row, _ in self.reads[key]:
                # The earliest acknowledged write of a newer row: one writer, so both lists rise.
                newer = bisect_right(numbers, row)
                if newer < len(numbers) and moments[newer] < began_s:
                    worst_s = max(worst_s, began_s - moments[newer])
        return worst_s

    def hits_since(self, moment_s: float) -> int:
        """Return how many reads since a moment were answered by L1."""
        return sum(
            layer is Layer.L1 and began_s >= moment_s for key in KEYS for began_s, _, layer in list(self.reads[key])
        )

    def writes_since(self, moment_s: float) -> int:
        """Return how many writes were acknowledged since a moment."""
        return sum(at_s >= moment_s for key in KEYS for at_s, _ in list(self.acknowledged[key]))
