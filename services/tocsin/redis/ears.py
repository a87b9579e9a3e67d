"""Ears: what the strategies that listen say on their connection, and what they hear there.

| ear | strategies | hears | proves itself by |
|---|---|---|---|
| `SubscribedEar` | `pubsub`, `pubsub-flush` | names on a channel, as a finish publishes them | a canary on a channel |
| `TrackingEar` | `tracking` | keys in Redis that changed, expired or were evicted (RESP3) | `PING` |

Both are as Redis' documents and most tutorials have them, and keep their known holes, because a testbed must be able to
show them. A message is delivered at most once. A connection without errors proves nothing (hazard 5): so one that does
not bring back what was sent on it is given up.

`TrackingEar` follows Redis' document on client-side caching to the letter: a connection of its own for what is told,
a placeholder for each load under way (`tocsin.flights`), everything dropped when the connection is lost, and pings.
It is told by prefix (`BCAST`), not by key. In the other mode Redis remembers for every connection of every worker which
keys it has read, in a table that it trims at will, and each of our pooled connections would have to be set up again
whenever the one that they redirect to is lost. By prefix there is one connection, nothing to remember, and the cost
is a message for each key that changes, as with `pubsub`.

A proof by ping says that the connection is open and in order, and no more: a proxy that lets pings through and loses
what is pushed is not noticed. The canary of `SubscribedEar` comes the way of the messages, and would be lost as well.
"""

import threading
from collections import deque
from functools import partial
from uuid import uuid4

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeout

from tocsin.clock import Clock
from tocsin.invalidation import keys_of
from tocsin.names import Names
from tocsin.redis.connection import RedisConnection
from tocsin.redis.listener import CanaryLost, Told
from tocsin.redis.shared_level import channel
from tocsin.redis.wire import decode_message
from tocsin.settings import CacheSettings

LOOK_UP_EVERY_S = 0.5
_KINDS = ("entry:", "dirty:")


class SubscribedEar:
    """Hears a channel, and a canary on one of its own."""

    def __init__(self, connection: RedisConnection, settings: CacheSettings, *, clock: Clock) -> None:
        self._connection = connection
        self._settings = settings
        self._clock = clock

    def listen(self, told: Told, ending: threading.Event) -> None:
        """Subscribe and hear, until asked to end or until an error is raised."""
        canary = f"{self._connection.prefix}canary:{uuid4().hex}"
        proofs = _Proofs(self._settings, self._clock)
        confirmed = 0
        with self._connection.client() as client, client.pubsub() as subscriber:
            subscriber.subscribe(channel(self._connection), canary)
            while not ending.is_set():
                # Only when both subscriptions are confirmed: a canary sent before proves nothing when it is lost.
                if proofs.due(sends=confirmed == 2):
                    client.publish(canary, b"")
                message = subscriber.get_message(timeout=proofs.look_up_every_s)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    confirmed += 1
                    if confirmed == 2:
                        told.opened()
                    elif confirmed > 2:
                        # redis-py did that by itself. Nobody knows what was told in between.
                        raise RedisConnectionError("the connection was lost and made again")
                elif message["channel"] == canary.encode():
                    told.proved(proofs.back())
                else:
                    told.heard(partial(_told_names, message["data"]))


class TrackingEar:
    """Hears which of the namespace's entries changed in Redis."""

    def __init__(self, connection: RedisConnection, settings: CacheSettings, *, clock: Clock) -> None:
        self._connection = connection
        self._settings = settings
        self._clock = clock

    def listen(self, told: Told, ending: threading.Event) -> None:
        """Let Redis track the entries, and hear, until asked to end or until an error is raised."""
        prefixes = [word for kind in _KINDS for word in ("PREFIX", f"{self._connection.prefix}{kind}")]
        changed: deque[list[bytes] | None] = deque()
        proofs = _Proofs(self._settings, self._clock)
        with self._connection.client(protocol=3) as client:
            connection = client.connection_pool.get_connection()
            # redis-py hands out what is pushed through its parser's handler only, as its own client-side cache does.
            connection._parser.set_invalidation_push_handler(lambda push: changed.append(push[1]))
            connection.send_command("CLIENT", "TRACKING", "ON", "BCAST", *prefixes)
            connection.read_response()
            told.opened()
            while not ending.is_set():
                if proofs.due():
                    connection.send_command("PING")
                try:
                    reply = connection.read_response(
                        timeout=proofs.look_up_every_s, disconnect_on_error=False, push_request=True
                    )
                except RedisTimeout:
                    continue  # nothing was said
                while changed:
                    told.heard(partial(_changed_names, changed.popleft(), self._connection.prefix))
                if reply in (b"PONG", "PONG"):
                    told.proved(proofs.back())


class _Proofs:
    """What was sent and has not come back. It comes back in the order in which it was sent.

    One that is lost makes each later proof count from an earlier moment than it could, which is the safe side.
    """

    def __init__(self, settings: CacheSettings, clock: Clock) -> None:
        self.look_up_every_s = min(LOOK_UP_EVERY_S, settings.canary_every_s)
        self._every_s = settings.canary_every_s
        self._within_s = settings.canary_within_s
        self._now = clock.now
        self._sent: deque[float] = deque()
        self._next_s = self._back_s = self._now()

    def due(self, *, sends: bool = True) -> bool:
        """Return whether to send another now, and note it as sent; raise `CanaryLost` when nothing comes back."""
        now_s = self._now()
        if now_s - (self._sent[0] if self._sent else self._back_s) > self._within_s:
            raise CanaryLost(f"the canary did not come back within {self._within_s} s")
        if not sends or now_s < self._next_s:
            return False
        self._sent.append(now_s)
        self._next_s = now_s + self._every_s
        return True

    def back(self) -> float:
        """Return when the one that has come back was sent."""
        self._back_s = self._now()
        return self._sent.popleft()


def _told_names(packed: bytes) -> Names:
    return decode_message(packed).names


def _changed_names(keys: list[bytes] | None, prefix: str) -> Names:
    """Return the keys of the entries that changed; None stands for all of them: the database was flushed."""
    if keys is None:
        return Names(everything=True)
    physical = (key.decode().removeprefix(prefix).partition(":")[2] for key in keys)
    return Names(keys=tuple(key for each in physical for key in keys_of(each)))
