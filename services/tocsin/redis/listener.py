"""Listener: a thread in each worker that hears invalidations, as most tutorials write it.

    finish: PUBLISH ──▶ Redis ──▶ socket ──▶ this thread ── hear(names) ──▶ L1 drops matching keys
    canary: every second the thread publishes to a channel of its own, and must hear it back

It is plain pub/sub on purpose, and keeps its known holes, because a testbed must be able to show them: a message is
delivered at most once; what was published while the connection was down is lost (hazard 3), and nothing is flushed
when it is back (hazard 4); a message about a key that is being loaded drops nothing (hazard 2). L1's time to live is
the only bound on what is missed.

What always holds: the thread survives every error, comes back after a bounded pause, and says truthfully whether it
hears: from the moment it is lost until a new connection has brought a canary back, it does not. A canary that does not
return in time is such an error, as a half-open connection raises none by itself (hazard 5). Messages that can't be
decoded are reported, and skipped (hazard 36).
"""

import random
import threading
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from redis.client import PubSub
from redis.exceptions import RedisError

from tocsin.backplane import Hear, Hearing
from tocsin.clock import Clock
from tocsin.observer import Observer
from tocsin.redis.connection import RedisConnection
from tocsin.redis.shared_level import channel
from tocsin.redis.wire import Undecodable, decode_message
from tocsin.settings import CacheSettings

PAUSE_MIN_S = 0.05
PAUSE_MAX_S = 1.0


class CanaryLost(Exception):  # noqa: N818  # an event, handled in this module
    """A canary did not come back in time."""


class RedisListener:
    """The listener of one worker. `jitter` returns a factor between 0 and 1 for the pauses before reconnecting."""

    def __init__(
        self,
        connection: RedisConnection,
        settings: CacheSettings,
        *,
        clock: Clock,
        observer: Observer,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._connection = connection
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self._jitter = jitter
        self.renew()

    def renew(self) -> None:
        """Forget the parent's thread, which did not survive the fork, and what it heard."""
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None
        self._heard_s: float | None = None
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
        self._heard_s = None
        self._trouble = "stopped"

    def hearing(self) -> Hearing:
        """Return whether a canary came back within `canary_within_s`."""
        heard_s = self._heard_s
        if heard_s is None:
            return Hearing(hears=False, detail=self._trouble)
        silent_s = self._clock.now() - heard_s
        if silent_s > self._settings.canary_within_s:
            return Hearing(hears=False, detail=f"no canary for {silent_s:.1f} s: {self._trouble}")
        return Hearing(hears=True, detail=f"canary heard {silent_s:.1f} s ago")

    def _run(self, hear: Hear, ending: threading.Event) -> None:
        pause_s = PAUSE_MIN_S
        while not ending.is_set():
            try:
                self._listen(hear, ending)
            except CanaryLost as error:
                event, trouble = "canary-lost", str(error)
            except (RedisError, OSError) as error:
                event, trouble = "lost", str(error)
            except Exception as error:  # noqa: BLE001  # whatever it is: a thread that ended would be deaf for good
                event, trouble = "failed", repr(error)
            else:
                return
            # A connection that proved itself resets the pause; one that never did doubles it.
            pause_s = PAUSE_MIN_S if self._heard_s is not None else min(2 * pause_s, PAUSE_MAX_S)
            self._heard_s, self._trouble = None, trouble
            self._observer.backplane(event)
            ending.wait(pause_s * (0.5 + self._jitter() / 2))

    def _listen(self, hear: Hear, ending: threading.Event) -> None:
        """Subscribe and hear, until asked to end or until an error is raised."""
        canary = f"{self._connection.prefix}canary:{uuid4().hex}"
        with self._connection.client() as client, client.pubsub() as pubsub:
            pubsub.subscribe(channel(self._connection), canary)
            sent_s = begun_s = self._clock.now()
            answered_s = begun_s
            acknowledged = 0
            while not ending.is_set():
                now_s = self._clock.now()
                if acknowledged == 2 and now_s >= sent_s:
                    # Only when both subscriptions are acknowledged: a canary sent before proves nothing when lost.
                    client.publish(canary, b"")
                    sent_s = now_s + self._settings.canary_every_s
                if now_s - answered_s > self._settings.canary_within_s:
                    raise CanaryLost(f"the canary did not come back within {self._settings.canary_within_s} s")
                message = _next_message(pubsub, timeout_s=min(0.5, self._settings.canary_every_s))
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    acknowledged += 1
                    if acknowledged == 2:
                        self._observer.backplane("subscribed")
                elif message["channel"] == canary.encode():
                    answered_s = self._heard_s = self._clock.now()
                else:
                    self._hear(hear, message["data"])

    def _hear(self, hear: Hear, packed: bytes) -> None:
        try:
            names = decode_message(packed).names
        except Undecodable:
            self._observer.backplane("undecodable")
            return
        hear(names)
        self._observer.invalidated(names, "backplane")


def _next_message(pubsub: PubSub, timeout_s: float) -> dict[str, Any] | None:
    """Wait for the next message of the subscription, at most `timeout_s` seconds."""
    message: dict[str, Any] | None = pubsub.get_message(timeout=timeout_s)
    return message
