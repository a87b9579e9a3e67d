"""When what was so: the faults' windows and the machine's pauses, both from the history alone.

fault lines:  start kill ──────────── stop kill                 in force from start to stop (open: to the end)
late_ns:      a request that left 300 ms late: the driver, and so perhaps everybody, stood still just before
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate

from cluster.history.columns import History
from cluster.history.operation import BEGINNING, FOREVER

PAUSE_NS_MIN = 20_000_000
"""A request that leaves later than this shows a pause; less is the event loop's ordinary business."""


@dataclass(frozen=True, slots=True)
class Window:
    """A fault in force, from `start_ns` to `stop_ns` (FOREVER: it was never healed)."""

    fault: str
    start_ns: int
    stop_ns: int


def windows(history: History) -> tuple[Window, ...]:
    """The faults of a history, in the order in which they began."""
    found: list[Window] = []
    open_since: dict[tuple[str, str], int] = {}
    for line in history.faults:
        name = (line.fault, line.target)
        if line.action in ("plan", "start"):  # it takes effect somewhere between the two
            open_since.setdefault(name, line.time_ns)
        elif line.action == "stop" and name in open_since:
            found.append(Window(line.fault, open_since.pop(name), line.time_ns))
    found += [Window(fault, start_ns, FOREVER) for (fault, _), start_ns in open_since.items()]
    return tuple(sorted(found, key=lambda window: window.start_ns))


def health_ends_ns(found: Iterable[Window]) -> int:
    """When the first fault began; FOREVER without any."""
    return min((window.start_ns for window in found), default=FOREVER)


def healed_ns(found: Iterable[Window]) -> int:
    """When the last fault was healed; BEGINNING without any, FOREVER if one never was."""
    return max((window.stop_ns for window in found), default=BEGINNING)


class Pauses:
    """The times at which the driver, and so the machine, stood still: disjoint intervals, in order."""

    def __init__(self, intervals: Iterable[tuple[int, int]]) -> None:
        """`intervals`: (start, end), in any order, overlapping or not."""
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in sorted(intervals):
            if self._ends and start <= self._ends[-1]:
                self._ends[-1] = max(self._ends[-1], end)
            else:
                self._starts.append(start)
                self._ends.append(end)
        lengths = (end - start for start, end in zip(self._starts, self._ends, strict=True))
        self._before = [0, *accumulate(lengths)]

    def within(self, start_ns: int, end_ns: int) -> int:
        """How long the machine stood still between two times."""
        return max(0, self._until(end_ns) - self._until(start_ns))

    @property
    def total_ns(self) -> int:
        """All of it."""
        return self._before[-1]

    def _until(self, time_ns: int) -> int:
        place = bisect_right(self._starts, time_ns)
        if not place:
            return 0
        return self._before[place - 1] + min(time_ns, self._ends[place - 1]) - self._starts[place - 1]


def pauses(history: History) -> Pauses:
    """The pauses that late requests show: each from when it was due to when it left."""
    columns = zip(history.invoked_ns, history.late_ns, strict=True)
    return Pauses((invoked - late, invoked) for invoked, late in columns if late > PAUSE_NS_MIN)


def count_between(sorted_ns: list[int], start_ns: int, end_ns: int) -> int:
    """How many of the sorted times lie in [start, end)."""
    return bisect_left(sorted_ns, end_ns) - bisect_left(sorted_ns, start_ns)
