"""Listener: a thread in each worker that hears invalidations, and comes back whatever happens.

    Redis ──▶ ear: one connection ──▶ this thread ── hear(names) ──▶ L1 drops what they concern

What is said on the connection is the ear's business: `tocsin.redis.ears` has one for each strategy that listens. The
thread opens it, waits a little when it fails, and opens it again.

What always holds: the thread survives every error, and says truthfully whether it hears: from the moment it is lost
until a new connection has proved itself, it does not. A proof is something of one's own that came back, and it counts
from the moment it was sent: what Redis did before that has been heard, and of what it did later nothing is known.
"""

import random
import threading
from collections.abc import Callable
from typing import Protocol

from redis.exceptions import RedisError

from tocsin.backplane import Hear, Hearing
from tocsin.clock import Clock
from tocsin.names import Names
from tocsin.observer import Observer
from tocsin.redis.wire import Undecodable
from tocsin.settings import CacheSettings

PAUSE_MIN_S = 0.05
PAUSE_MAX_S = 1.0


class CanaryLost(Exception):  # noqa: N818  # an event, handled in this module
    """What was sent to prove the connection did not come back in time."""


class Told(Protocol):
    """To whom an ear tells what it hears."""

    def opened(self) -> None:
        """Redis has agreed to tell everything from now on."""

    def heard(self, decode: Callable[[], Names]) -> None:
        """Something arrived, which is an invalidation unless `decode` raises one of `Undecodable`."""

    def proved(self, sent_s: float) -> None:
        """What was sent at `sent_s` came back."""


class Ear(Protocol):
    """One way to hear."""

    def listen(self, told: Told, ending: threading.Event) -> None:
        """Connect and hear until asked to end; raise what goes wrong, `CanaryLost` when nothing comes back."""


class RedisListener:
    """The listener of one worker. `jitter` returns a factor between 0 and 1 for the pauses before reconnecting.

    `flushes`: all that L1 holds is dropped whenever Redis has agreed to tell, and once more when it is lost.
    """

    def __init__(
        self,
        ear: Ear,
        settings: CacheSettings,
        *,
        clock: Clock,
        observer: Observer,
        flushes: bool = False,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._ear = ear
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self._flushes = flushes
        self._jitter = jitter
        self.renew()

    def renew(self) -> None:
        """Forget the parent's thread, which did not survive the fork, and what it heard."""
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._proved_s: float | None = None
        self._trouble = "not started in this process: call start() after the fork"

    def start(self, hear: Hear) -> None:
        """Start the thread; twice is once."""
        if self._thread is not None:
            return
        self._trouble = "no canary has come back yet"
        self._ending = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(hear, self._ending), name=f"tocsin-listener {self._settings.node}", daemon=True
        )
        self._thread.start()

    def stop(self, within_s: float) -> None:
        """Ask the thread to end, and wait for that at most `within_s` seconds."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ending.set()
            thread.join(within_s)
        self._proved_s = None
        self._trouble = "stopped"

    @property
    def heard_until_s(self) -> float:
        """See `tocsin.backplane.Listener`."""
        proved_s = self._proved_s
        return 0.0 if proved_s is None else proved_s + self._settings.canary_within_s

    def hearing(self) -> Hearing:
        """Return whether a canary came back within `canary_within_s`."""
        proved_s = self._proved_s
        if proved_s is None:
            return Hearing(hears=False, detail=self._trouble)
        silent_s = self._clock.now() - proved_s
        if silent_s > self._settings.canary_within_s:
            return Hearing(hears=False, detail=f"no canary for {silent_s:.1f} s: {self._trouble}")
        return Hearing(hears=True, detail=f"canary heard {silent_s:.1f} s ago")

    def _run(self, hear: Hear, ending: threading.Event) -> None:
        pause_s = PAUSE_MIN_S
        while not ending.is_set():
            try:
                self._ear.listen(_Told(self, hear, ending), ending)
            except CanaryLost as error:
                event, trouble = "canary-lost", str(error)
            except (RedisError, OSError) as error:
                event, trouble = "lost", str(error)
            except Exception as error:  # noqa: BLE001  # whatever it is: a thread that ended would be deaf for good
                event, trouble = "failed", repr(error)
            else:
                return
            # A connection that proved itself resets the pause; one that never did doubles it.
            pause_s = PAUSE_MIN_S if self._proved_s is not None else min(2 * pause_s, PAUSE_MAX_S)
            self._proved_s, self._trouble = None, trouble
            self._flush(hear)
            self._observer.backplane(event)
            ending.wait(pause_s * (0.5 + self._jitter() / 2))

    def _flush(self, hear: Hear) -> None:
        if self._flushes:
            hear(Names(everything=True))

    def _opened(self, hear: Hear) -> None:
        # After Redis has agreed, and before the first proof. The other way round, a write between the flush and the
        # agreement would be told to nobody, and what a reader kept meanwhile would be believed:
        #   thread: flush ................................... agreed, proved: L1 is used again
        #   reader:        hit v1 in L2, keep v1
        #   writer:                              write v2
        self._flush(hear)
        self._observer.backplane("subscribed")

    def _heard(self, hear: Hear, decode: Callable[[], Names]) -> None:
        try:
            names = decode()
        except Undecodable:
            self._observer.backplane("undecodable")
            return
        hear(names)
        self._observer.invalidated(names, "backplane")


class _Told:
    """One connection's way to the listener. Once it was asked to end, what it says is nobody's concern."""

    def __init__(self, listener: RedisListener, hear: Hear, ending: threading.Event) -> None:
        self._listener = listener
        self._hear = hear
        self._ending = ending

    def opened(self) -> None:
        self._listener._opened(self._hear)

    def heard(self, decode: Callable[[], Names]) -> None:
        self._listener._heard(self._hear, decode)

    def proved(self, sent_s: float) -> None:
        if not self._ending.is_set():  # else a thread that outlived its stop would vouch for the one after it
            self._listener._proved_s = sent_s
