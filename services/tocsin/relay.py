"""Relay: makes known what a writer committed but could not, or did not live to, make known itself.

    outbox rows that nobody acknowledged ── seen 200 ms ago already ──▶ finish again ──▶ acknowledged

Every agent relays, and whoever else has an outbox and a way to finish may. What always holds:

- No lock and no claim: a relay that stops while it holds one would silence all others (C13). Two relays that finish the
  same row cost one needless invalidation.
- No transaction is open during a call to Redis: one that is cut off would hold the rows, or all of SQLite, as long.
- A row's age counts from when this relay first saw it, by its own clock: those of the nodes that wrote the rows need
  not agree with anybody's.
- A row is finished 200 ms to 300 ms after its commit, as long as the database and Redis answer: it is seen within
  `LOOK_EVERY_S`, and finished `GRACE_S` after that. The one wait is random, so relays that run beside each other seldom
  finish the same row: the first of them has acknowledged it when the second comes.

Source: PROTOCOL, "Outbox relay"; hazard 8.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from tocsin.errors import TocsinError, Unavailable
from tocsin.names import Names, united
from tocsin.position import Position

GRACE_S: Final = 0.2  # a writer that is alive acknowledges its own row sooner
LOOK_EVERY_S: Final = (0.05, 0.1)
AGAIN_AFTER_S: Final = 0.5
SEEN_AT_ONCE: Final = 1000
FINISHED_AT_ONCE: Final = 100


class OutboxUnavailable(TocsinError):  # noqa: N818 - as `Unavailable`: a state that every caller must expect
    """The database of the outbox did not serve a request; the rows wait on."""


class Row(Struct, frozen=True):
    """One committed write that nobody has acknowledged; `unreadable` says why its names can't be read."""

    id: int
    names: Names
    unreadable: str = ""


class Outbox(Protocol):
    """The port: the table in which writers leave, in the transaction of the write itself, what it changed."""

    def waiting(self, limit: int) -> Sequence[Row]:
        """Return unacknowledged rows, the oldest first, and leave no transaction open. Raises `OutboxUnavailable`."""

    def acknowledge(self, ids: Sequence[int], position: Position | None) -> None:
        """Mark rows as known everywhere as of `position`, in one short update. Raises `OutboxUnavailable`."""

    def close(self) -> None:
        """Close what was opened. Never raises."""


Finish = Callable[[Names], Position | None]
"""Invalidates names everywhere and returns the position of that, if it has one. Raises `Unavailable`."""


def _unheard(line: str) -> None:
    """Tell nobody."""


def _uncounted(rows: int) -> None:
    """Count nothing."""


class Relay:
    """One process's relay; remembers which rows it has seen waiting.

    `chance` returns a random number from 0 to 1. `tell` is called with a sentence when an outage begins
    and ends, `relayed` with the number of rows that were finished.
    """

    def __init__(
        self,
        outbox: Outbox,
        finish: Finish,
        *,
        now: Callable[[], float],
        chance: Callable[[], float],
        tell: Callable[[str], None] = _unheard,
        relayed: Callable[[int], None] = _uncounted,
    ) -> None:
        self._outbox = outbox
        self._finish = finish
        self._now = now
        self._chance = chance
        self._tell = tell
        self._relayed = relayed
        self._trouble = ""
        self._first_seen: dict[int, float] = {}
        self._unreadable: set[int] = set()
        self.relayed = 0

    def follow(self, stopped: Callable[[], bool], pause: Callable[[float], object]) -> None:
        """Relay until `stopped`, through every loss of Redis and of the database; `pause` waits so many seconds."""
        try:
            while not stopped():
                # Waits for: rows that nobody acknowledges.
                pause(self.attempt())
        finally:
            self.close()

    def close(self) -> None:
        """Close the outbox; the next turn opens it again."""
        self._outbox.close()

    def attempt(self) -> float:
        """Take a turn; return for how many seconds the next may wait. What can't be reached is tried again."""
        try:
            wait_s = self.turn()
        except (Unavailable, OutboxUnavailable) as error:
            self._note(str(error))
            return AGAIN_AFTER_S
        self._note("")
        return wait_s

    def turn(self) -> float:
        """Look, and finish what has waited for 200 ms; return for how many seconds the next turn may wait.

        Raises `Unavailable` or `OutboxUnavailable`; nothing is acknowledged then that was not finished.
        """
        asked_s = self._now()
        rows = self._outbox.waiting(SEEN_AT_ONCE)
        readable = [row for row in rows if not row.unreadable]
        self._put_aside(row for row in rows if row.unreadable)
        self._first_seen = {row.id: self._first_seen.get(row.id, asked_s) for row in readable}
        due = [row for row in readable if asked_s - self._first_seen[row.id] >= GRACE_S][:FINISHED_AT_ONCE]
        if due:
            position = self._finish(united(row.names for row in due))
            self._outbox.acknowledge([row.id for row in due], position)
            for row in due:
                del self._first_seen[row.id]
            self.relayed += len(due)
            self._relayed(len(due))
        return self._wait_s()

    def _wait_s(self) -> float:
        """Return the time until the next look, or until the next row that was seen is due, if that is sooner."""
        shortest, longest = LOOK_EVERY_S
        look_s = shortest + (longest - shortest) * self._chance()
        if not self._first_seen:
            return look_s
        return max(0.0, min(look_s, min(self._first_seen.values()) + GRACE_S - self._now()))

    def _put_aside(self, rows: Iterable[Row]) -> None:
        """Leave rows that can't be read where they are, for a person, and say so once."""
        reasons = {row.id: row.unreadable for row in rows}
        for each in sorted(reasons.keys() - self._unreadable):
            self._tell(f"outbox row {each} can't be read: {reasons[each]}; correct it, and it is relayed")
        self._unreadable = set(reasons)

    def _note(self, trouble: str) -> None:
        if trouble and not self._trouble:
            self._tell(f"the outbox is put off: {trouble}")
        elif self._trouble and not trouble:
            self._tell("the outbox is relayed again")
        self._trouble = trouble
