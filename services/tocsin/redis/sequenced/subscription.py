"""Subscription: the texts that Redis tells on a channel, from the moment it has confirmed.

What always holds: a connection that was lost is never replaced in silence. redis-py connects and subscribes again by
itself; here the second confirmation ends the subscription, because nobody knows what was told in between: whoever
listens subscribes anew, and then reads the log. A text may arrive before the confirmation, and is kept.
"""

import contextlib
from collections import deque
from collections.abc import Callable, Iterator

from redis.client import PubSub
from redis.exceptions import RedisError

from tocsin.errors import Happened, Unavailable

Listen = Callable[[], PubSub]
"""Returns a redis-py subscriber with a connection of its own, with timeouts and without retries."""

CONFIRMED_WITHIN_S = 1.0


class RedisSubscription:
    """One channel; see `tocsin.sequencer.Subscription`."""

    def __init__(self, subscriber: PubSub, channel: str) -> None:
        self._subscriber = subscriber
        self._early: deque[bytes] = deque()
        with self._unavailable():
            subscriber.subscribe(channel)
            # Waits for: the confirmation. What is told before it arrives may be told to others only.
            while True:
                answer = subscriber.get_message(timeout=CONFIRMED_WITHIN_S)
                if answer is None:
                    raise self._cut(f"not confirmed within {CONFIRMED_WITHIN_S} s")
                if answer["type"] == "subscribe":
                    return
                self._early.append(answer["data"])

    def receive(self, within_s: float) -> bytes | None:
        """Return the next text, or None; raise `Unavailable` when the connection was lost."""
        if self._early:
            return self._early.popleft()
        with self._unavailable():
            answer = self._subscriber.get_message(timeout=within_s)
        if answer is None:
            return None
        if answer["type"] != "message":
            raise self._cut("the connection was lost and made again")
        data: bytes = answer["data"]
        return data

    def close(self) -> None:
        """End the subscription."""
        with contextlib.suppress(RedisError, OSError):
            self._subscriber.close()

    @contextlib.contextmanager
    def _unavailable(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            raise self._cut(str(error)) from error

    def _cut(self, why: str) -> Unavailable:
        self.close()
        return Unavailable(f"the subscription was cut: {why}", detail="redis-unreachable", happened=Happened.NO)
