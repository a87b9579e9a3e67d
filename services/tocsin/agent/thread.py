"""Thread: the follower as a thread of one worker, with a table of its own.

It needs no second process and no shared memory, and works on every machine. Its price is the interpreter's lock: in a
worker that is busy with Python it waits for its turn, about 5 ms, before it applies what it heard.
"""

import secrets
import threading

from tocsin.agent.node import hearing_of
from tocsin.agent.relaying import RelayThread
from tocsin.agent.rhythm import holder_name
from tocsin.backplane import Hear, Hearing
from tocsin.clock import Clock
from tocsin.follower import Follower, Rhythm
from tocsin.generation import Generations, Keeper, private_memory
from tocsin.sequencer import Feed


class ThreadTable:
    """A worker's own table; see `tocsin.evidence.Table` and `tocsin.backplane.Backplane`."""

    def __init__(
        self, feed: Feed, *, name: str, clock: Clock, rhythm: Rhythm, relaying: RelayThread | None = None
    ) -> None:
        self._feed = feed
        self._name = name
        self._clock = clock
        self._rhythm = rhythm
        self._relaying = relaying
        self.renew()

    def renew(self) -> None:
        """Begin anew in the child of a fork: the thread did not survive it, and nobody keeps the table."""
        self._memory = private_memory()
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        if self._relaying is not None:
            self._relaying.renew()
        self.generations = Generations(self._memory)

    def start(self, hear: Hear) -> None:  # noqa: ARG002 - the table hears
        """Start the thread; twice is once."""
        if self._thread is not None:
            return
        follower = Follower(
            feed=self._feed,
            sink=Keeper(self._memory),
            node=holder_name(self._name),
            now=self._clock.now,
            beats=secrets.randbits(48),
            rhythm=self._rhythm,
        )
        ending = self._ending = threading.Event()
        self._thread = threading.Thread(
            target=follower.follow,
            args=(ending.is_set, ending.wait),
            name=f"tocsin-follower {self._name}",
            daemon=True,
        )
        self._thread.start()
        if self._relaying is not None:
            self._relaying.start()

    def stop(self, within_s: float) -> None:
        """Ask the thread to end, and wait for that at most `within_s` seconds."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            if self._relaying is not None:
                self._relaying.stop(within_s)
            thread.join(within_s)

    def lapsed(self) -> None:
        """Do nothing: the thread goes on by itself."""

    def hearing(self) -> Hearing:
        """Return whether the worker holds a lease."""
        return hearing_of(self.generations, self._clock.now())
