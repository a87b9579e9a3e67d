"""Purger: what is to be purged, and the thread that does it: in batches, not too often, again after a failure.

    tags ─▶ wanted: a set, bounded ─▶ at most names_max ─▶ client ─┬─ done: note the position, if nothing is left
     all ─▶ everything                                             ├─ later: back, and wait (longer each time)
                                                                   └─ refused: say so, back, and wait the longest

What always holds: a tag leaves only when the CDN has answered that it is purged. Groups that are told while a call is
under way are purged by a later one, also if they are the same: the call may have been carried out before the write that
they are about. A set that grows too long becomes "everything", which is always true.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable

from tocsin.cdn.client import PurgeClient, PurgeLater, PurgeRefused
from tocsin.position import Position

WANTED_MAX = 10_000
AGAIN_MIN_S, AGAIN_MAX_S = 0.5, 60.0
NOTHING = Position()


class Purger:
    """The purges of one CDN. `done` hears up to which position everything is purged; `tell`, for people, of failures.

    `chance` spreads the waits: a number from 0 to 1 each time, so that many agents don't come back at once.
    """

    def __init__(
        self,
        client: PurgeClient,
        *,
        done: Callable[[Position], None],
        tell: Callable[[str], None],
        chance: Callable[[], float],
        pause: Callable[[threading.Event, float], None] = lambda ended, seconds: _pause(ended, seconds),
    ) -> None:
        self._client = client
        self._done = done
        self._tell = tell
        self._chance = chance
        self._pause = pause
        self._lock = threading.Lock()
        self._wanted: dict[str, None] = {}
        self._everything = False
        self._position = NOTHING
        self._more = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to purge, in a thread."""
        self._thread = threading.Thread(target=self.run, name=f"tocsin-purger {self._client.name}", daemon=True)
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """End the thread; what is not purged yet is not noted as such, so the next start purges it."""
        self._ended.set()
        self._more.set()
        if self._thread is not None:
            self._thread.join(within_s)

    def want(self, tags: Iterable[str], position: Position) -> None:
        """Purge these; `position` is reached when they and all before them are."""
        with self._lock:
            self._position = position
            if not self._everything:
                self._wanted.update(dict.fromkeys(tags))
                if len(self._wanted) > WANTED_MAX:
                    self._everything = True
                    self._wanted.clear()
        self._more.set()

    def want_everything(self, position: Position) -> None:
        """Purge all; what was wanted before is part of it."""
        with self._lock:
            self._position = position
            self._everything = True
            self._wanted.clear()
        self._more.set()

    def run(self) -> None:
        """Purge until `stop`."""
        failures = 0
        while not self._ended.is_set():
            self._more.wait()
            if self._ended.is_set():
                return
            failures = self.turn(failures)

    def turn(self, failures: int = 0) -> int:
        """Make one call, or note that nothing is left; return how many calls have failed in a row by now."""
        with self._lock:
            everything, position = self._everything, self._position
            tags = [] if everything else list(self._wanted)[: self._client.names_max]
            # What is taken out here comes back if the call fails. Left in until the call's end, a tag that is told
            # meanwhile would be taken for purged by it, though the CDN may have purged before that write.
            self._everything = False
            for tag in tags:
                del self._wanted[tag]
            if not everything and not tags:
                self._more.clear()
        if not everything and not tags:
            if position != NOTHING:
                self._done(position)
            return 0
        try:
            if everything:
                self._client.purge_everything()
            else:
                self._client.purge(tags)
        except (PurgeLater, PurgeRefused) as error:
            self._back(tags, everything=everything)
            wait_s = self._wait_s(error, failures)
            self._tell(f"{error}; again in {wait_s:.1f} s")
            self._pause(self._ended, wait_s)
            return failures + 1
        self._pause(self._ended, self._client.every_s)
        return 0

    def _back(self, tags: list[str], *, everything: bool) -> None:
        with self._lock:
            if everything:
                self._everything = True
                self._wanted.clear()
            elif not self._everything:
                self._wanted = dict.fromkeys(tags) | self._wanted

    def _wait_s(self, error: PurgeLater | PurgeRefused, failures: int) -> float:
        if isinstance(error, PurgeRefused):
            return AGAIN_MAX_S
        longest = min(AGAIN_MAX_S, AGAIN_MIN_S * 2.0 ** min(failures, 16))
        return max(error.after_s, longest * (0.5 + self._chance() / 2))


def _pause(ended: threading.Event, seconds: float) -> None:
    ended.wait(seconds)
