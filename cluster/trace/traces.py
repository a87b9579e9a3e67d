"""The events of all processes of a run, laid out so that each question about them is a binary search."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cluster.errors import ClusterError


class Line(msgspec.Struct, frozen=True):
    """A line of a trace; members as in docs/contract.md §9, unknown ones left aside."""

    t: int
    event: str
    names: tuple[str, ...] = ()
    version: int = -1
    process: str = ""
    wall_ns: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to one name. `version`: of the value that was kept, where that is known."""

    t: int
    process: str
    version: int


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

    def between(self, since_ns: int, until_ns: int) -> Iterable[Event]:
        """Those at or after the one moment, and before the other."""
        return self.events[bisect_left(self.times, since_ns) : bisect_left(self.times, until_ns)]


class Traces:
    """Everything that a run's processes wrote down. Events that concern everything have the name `*`."""

    def __init__(self, lines: Iterable[tuple[str, Line]]) -> None:
        """`lines`: each with the process that wrote it, in any order."""
        self._by_name: defaultdict[tuple[str, str], Series] = defaultdict(Series)
        self._by_process: defaultdict[tuple[str, str, str], Series] = defaultdict(Series)
        self.offsets_ns: dict[str, int] = {}
        """Per process, wall clock less monotonic clock, at its beginning."""
        self.lines = 0
        for process, line in sorted(lines, key=lambda each: each[1].t):
            self.lines += 1
            if line.event == "began":
                self.offsets_ns[process] = line.wall_ns - line.t
                continue
            event = Event(line.t, process, line.version)
            for name in line.names or ("*",):
                for series in (self._by_name[line.event, name], self._by_process[line.event, name, process]):
                    series.events.append(event)
                    series.times.append(line.t)

    def of(self, event: str, name: str, process: str | None = None) -> Series:
        """The events of a kind about a name: of one process, or of all."""
        if process is None:
            return self._by_name.get((event, name), _NONE)
        return self._by_process.get((event, name, process), _NONE)


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
