"""Diary: what a follower and a relay have been through, in numbers that somebody else may read.

    agent ── every second ──▶ <folder>/diary ──▶ each worker of the node, when it is asked for its metrics

The lag is measured by canaries: messages that the node sends to itself through Redis, on the way that invalidations
take. So both ends are read from one clock, which could not be said of the time that another node wrote into a message.
What always holds: a page is read whole or not at all, and a reader that finds none goes on without.
"""

from bisect import bisect_left
from typing import Final

from msgspec import Struct

LAG_BUCKETS_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Page(Struct, frozen=True):
    """One reading of the numbers, all of them since `process` (an id) began.

    `lags` has the canaries heard within each of `LAG_BUCKETS_S`, and those later than all; not cumulated. `gaps` were
    repaired from the log, `flushes` forgot everything, `relayed` rows of the outbox were finished again.
    """

    process: int
    lags: tuple[int, ...] = (0,) * (len(LAG_BUCKETS_S) + 1)
    lag_sum_s: float = 0.0
    gaps: int = 0
    flushes: int = 0
    relayed: int = 0


class Diary:
    """Written by one follower on its thread, and one relay on its own; each has its own numbers."""

    def __init__(self) -> None:
        self._lags = [0] * (len(LAG_BUCKETS_S) + 1)
        self._lag_sum_s = 0.0
        self._gaps = self._flushes = self._relayed = 0

    def heard(self, lag_s: float) -> None:
        """Note that a canary came back after so long."""
        self._lags[bisect_left(LAG_BUCKETS_S, lag_s)] += 1
        self._lag_sum_s += lag_s

    def repaired(self) -> None:
        """Note a gap in what was told."""
        self._gaps += 1

    def flushed(self) -> None:
        """Note that everything was forgotten."""
        self._flushes += 1

    def relayed(self, rows: int) -> None:
        """Note rows of the outbox that were finished again."""
        self._relayed += rows

    def page(self, process: int) -> Page:
        """Return the numbers as of now."""
        return Page(process, tuple(self._lags), self._lag_sum_s, self._gaps, self._flushes, self._relayed)
