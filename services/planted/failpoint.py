"""Failpoints: places at which a process dies or sleeps, when the examiner has armed them. Armed for a whole node.

    armed      <folder>/<point>/0, 1, …     one file a hit; whose `unlink` succeeds has it, whatever process that is
    hit        one line in <folder>/hits, then SIGKILL to oneself, or a sleep

| point | where |
|---|---|
| `after-commit` | the database has the write, nobody was told |
| `before-fill` | a value was loaded, and L2 is about to get it |
| `before-apply` | an invalidation was heard, and is about to be applied |

What always holds: a hit is on file before it acts, since a process that dies tells nothing; a point is hit exactly as
often as it was armed, in whatever processes of the node, because of two that unlink one file one fails. Unarmed, a
point costs one look for a folder.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct, json
from tocsin.clock import SystemClock

POINTS = ("after-commit", "before-fill", "before-apply")
ACTIONS = ("crash", "sleep")
COUNT_MAX = 10_000
SECONDS_MAX = 60.0


class Armed(Struct, frozen=True, forbid_unknown_fields=True):
    """What happens at a point: `crash`, or `sleep` for so many seconds; so often. A count of 0 disarms."""

    point: str
    action: str = "crash"
    seconds: float = 0.0
    count: int = 1

    def __post_init__(self) -> None:
        """Raise ValueError for what can't be meant."""
        if self.point not in POINTS or self.action not in ACTIONS:
            raise ValueError(f"a point of {', '.join(POINTS)} and an action of {', '.join(ACTIONS)} are expected")
        if not 0 <= self.count <= COUNT_MAX or not 0 <= self.seconds <= SECONDS_MAX:
            raise ValueError(f"0 to {COUNT_MAX} hits of 0 to {SECONDS_MAX:g} seconds are expected")


def die() -> None:
    """End this process as a crash would: nothing is closed, flushed or told."""
    os.kill(os.getpid(), signal.SIGKILL)


class Failpoints:
    """The failpoints of one node, as each of its processes sees them."""

    def __init__(
        self, folder: Path, *, sleep: Callable[[float], None] | None = None, die: Callable[[], None] = die
    ) -> None:
        self._folder = folder
        self._sleep = sleep or SystemClock().pause
        self._die = die

    def arm(self, armed: Armed) -> None:
        """Arm a point anew; what was left of an earlier arming is gone."""
        place = self._folder / armed.point
        shutil.rmtree(place, ignore_errors=True)
        if armed.count:
            # Made beside it and moved as a whole: nobody hits a point that is half armed.
            fresh = place.with_name(f"{armed.point}.new.{os.getpid()}")
            fresh.mkdir(parents=True)
            for number in range(armed.count):
                (fresh / str(number)).write_bytes(json.encode(armed))
            fresh.rename(place)

    def hit(self, point: str, name: str) -> None:
        """Be at a point; `name` is what for. Does nothing, or does not return, or returns late."""
        armed = self._take(self._folder / point)
        if armed is None:
            return
        line = json.encode({"point": point, "pid": os.getpid(), "name": name}) + b"\n"
        with (self._folder / "hits").open("ab", buffering=0) as file:
            file.write(line)
        if armed.action == "crash":
            self._die()
        self._sleep(armed.seconds)

    def hits(self) -> Counter[str]:
        """Return how often each point was hit since the node was started, in all of its processes."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self._folder / "hits").read_bytes().splitlines()
            return Counter(re.sub(r'.*"point":"([a-z-]+)".*', r"\1", line.decode()) for line in lines)
        return Counter()

    def _take(self, place: Path) -> Armed | None:
        try:
            tokens = list(place.iterdir())
        except FileNotFoundError:
            return None
        for token in tokens:
            try:
                armed = json.decode(token.read_bytes(), type=Armed)
                token.unlink()
            except FileNotFoundError:
                continue  # another process was faster
            return armed
        return None
