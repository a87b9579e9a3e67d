"""The events of all processes of a run, laid out so that each question about them is a binary search."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median_low

import msgspec

from cluster.errors import ClusterError


class Line(msgspec.Struct, frozen=True):
    """A line of a trace; members as in docs/contract.md §9, unknown ones left aside."""

    t: int
    event: str
    names: tuple[str, ...] = ()
    version: int = -1
    epoch: str = ""
    sequence: int = -1
    process: str = ""
    wall_ns: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one name. `version`: of the value that was kept; `sequence`: the number that the
    invalidation had. -1 where there is none.
    """

    t: int
    process: str
    version: int = -1
    sequence: int = -1


@dataclass(slots=True)
class Series:
    """Events in the order of their times."""

    events: list[Event] = field(default_factory=list)
    times: list[int] = field(default_factory=list)

    def first(self, since_ns: int) -> Event | None:
        """The earliest at or after a moment."""
        place = bisect_left(self.times, since_ns)
        return self.events[place] if place < len(self.events) else None

    def last(self, before_ns: int) -> Event | None:
        """The latest before a moment."""
        place = bisect_left(self.times, before_ns)
        return self.events[place - 1] if place else None

    def since(self, since_ns: int) -> Sequence[Event]:
        """All of them at or after a moment."""
        return self.events[bisect_left(self.times, since_ns) :]

    def between(self, since_ns: int, until_ns: int) -> Iterable[Event]:
        """Those at or after the one moment, and before the other."""
        return self.events[bisect_left(self.times, since_ns) : bisect_left(self.times, until_ns)]


class Traces:
    """Everything that a run's processes wrote down. Under the name `*` stand all events, whatever they are about."""

    def __init__(self, lines: Iterable[tuple[str, Line]]) -> None:
        """`lines`: each with the process that wrote it, in any order."""
        self._by_name: defaultdict[tuple[str, str], Series] = defaultdict(Series)
        self._by_process: defaultdict[tuple[str, str, str], Series] = defaultdict(Series)
        self._numbered: defaultdict[tuple[str, int], list[Event]] = defaultdict(list)
        self._offsets: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        self.lines = 0
        for process, line in sorted(lines, key=lambda each: each[1].t):
            self.lines += 1
            if line.event == "began":
                self._offsets[process].append((line.t, line.wall_ns - line.t))
                continue
            event = Event(line.t, process, line.version, line.sequence)
            if line.event == "applied" and line.sequence >= 0:
                self._numbered[process, line.sequence].append(event)
            for name in ("*", *(name for name in line.names if name != "*")):
                for series in (self._by_name[line.event, name], self._by_process[line.event, name, process]):
                    series.events.append(event)
                    series.times.append(line.t)

    def of(self, event: str, name: str, process: str | None = None) -> Series:
        """The events of a kind about a name: of one process, or of all."""
        if process is None:
            return self._by_name.get((event, name), _NONE)
        return self._by_process.get((event, name, process), _NONE)

    def numbered(self, process: str, sequence: int, since_ns: int) -> Event | None:
        """When a process first applied the invalidation of this number, whatever it made of its names."""
        events = self._numbered.get((process, sequence), [])
        return next((event for event in events if event.t >= since_ns), None)

    def offset_ns(self, process: str, at_ns: int) -> int | None:
        """Wall clock less monotonic clock of a process as it was started last before a moment; None if unknown."""
        begun = self._offsets.get(process, [])
        place = bisect_left(begun, (at_ns,))
        return begun[place - 1][1] if place else None

    def usual_offset_ns(self) -> int:
        """The median of all processes': what their wall clocks agree on."""
        return median_low([offset for begun in self._offsets.values() for _, offset in begun] or [0])


_NONE = Series()


def read_traces(folder: Path) -> Traces:
    """Read every `*.jsonl` of a folder. What a process that was killed has not finished writing is left out.

    Raises ClusterError for a file that is no trace.
    """
    lines: list[tuple[str, Line]] = []
    for path in sorted(folder.glob("*.jsonl")):
        process = ""
        raw = path.read_bytes().split(b"\n")
        for number, text in enumerate(raw[:-1], start=1):
            try:
                line = msgspec.json.decode(text, type=Line)
            except msgspec.DecodeError as problem:
                raise ClusterError(f"{path}, line {number}: this is no trace ({problem})") from None
            process = line.process or process
            lines.append((process, line))
    return Traces(lines)
