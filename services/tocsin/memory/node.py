"""Node: a generation table in memory that is as true as what has been told, whenever it is looked at.

For tests and for a process that is alone: the follower takes its turns inside the look, so that no thread is needed and
nothing waits. A look applies what was told, beats if that is due, and returns when there is nothing left to do.
"""

import itertools
from collections.abc import Callable

from tocsin.agent.node import hearing_of
from tocsin.backplane import Hear, Hearing
from tocsin.clock import Clock
from tocsin.errors import Unavailable
from tocsin.follower import Follower, Rhythm
from tocsin.generation import CHANGE, Generations, Keeper, Memory, Words, private_memory
from tocsin.sequencer import Feed, Subscription

SLOTS = 1024
TURNS_AT_ONCE = 10_000

_beats = itertools.count(1, 1 << 20)


class _ToldWords:
    """The table's words; asking for the change is a look."""

    def __init__(self, words: Words, look: Callable[[], None]) -> None:
        self._words = words
        self._look = look

    def __getitem__(self, index: int) -> int:
        if index == CHANGE:
            self._look()
        return self._words[index]

    def __setitem__(self, index: int, value: int) -> None:
        raise TypeError("only the follower stores")


class PromptTable:
    """A node's table; see `tocsin.evidence.Table` and `tocsin.backplane.Backplane`.

    While it is `deaf` its follower takes no turn, as one that is paused or cut off.
    """

    def __init__(self, feed: Feed, *, name: str, clock: Clock, rhythm: Rhythm) -> None:
        self._feed = feed
        self._name = name
        self._clock = clock
        self._rhythm = rhythm
        self.deaf = False
        self.renew()

    def renew(self) -> None:
        """Begin anew: a blank table, and nobody who follows."""
        self._lock = self._clock.lock()
        memory = private_memory(SLOTS)
        self._table = Generations(Memory(_ToldWords(memory.words, self._turn_alone), memory.moments, memory.slots))
        self._follower: Follower | None = None
        self._subscription: Subscription | None = None
        self._keeper = Keeper(memory)

    def start(self, hear: Hear) -> None:  # noqa: ARG002 - the table hears
        """Begin to follow."""
        with self._lock:
            if self._follower is None:
                self._follower = Follower(
                    feed=self._feed,
                    sink=self._keeper,
                    node=self._name,
                    now=self._clock.now,
                    beats=next(_beats),
                    rhythm=self._rhythm,
                )
                self._follower.take_over()

    def stop(self, within_s: float) -> None:  # noqa: ARG002 - there is nothing to wait for
        """End the lease, and follow no more."""
        with self._lock:
            if self._subscription is not None:
                self._subscription.close()
            if self._follower is not None:
                self._follower.end()
            self._follower = self._subscription = None

    @property
    def generations(self) -> Generations:
        """The table, after all that was told has been applied to it."""
        self._turn_alone()
        return self._table

    def lapsed(self) -> None:
        """Do nothing: the next look tries again."""

    def hearing(self) -> Hearing:
        """Return whether the node holds a lease."""
        return hearing_of(self.generations, self._clock.now())

    def _turn_alone(self) -> None:
        with self._lock:
            # Without the lock two threads would take turns of one follower at once; it is written for one.
            self._turn()

    def _turn(self) -> None:
        follower = self._follower
        if follower is None or self.deaf:
            return
        try:
            if self._subscription is None:
                self._subscription = self._feed.subscribe()
                follower.catch_up()
            for _ in range(TURNS_AT_ONCE):
                if not follower.turn(self._subscription):
                    return
        except Unavailable:
            self._subscription = None
