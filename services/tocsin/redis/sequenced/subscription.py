"""Subscription: the texts that Redis tells on a channel, from the moment it has confirmed.

What always holds: a connection that was lost is never replaced in silence: the subscription is over, because nobody
knows what was told in between. Whoever listens subscribes anew, and then reads the log.
"""

import contextlib
from collections.abc import Callable, Iterator

from redis.exceptions import RedisError

from tocsin.errors import Happened, Unavailable
from tocsin.redis.line import Line

Listen = Callable[[], Line]
"""Opens a line for one listener, with timeouts and without retries; raises redis-py's errors, and `OSError`."""


class RedisSubscription:
    """One channel; see `tocsin.sequencer.Subscription`."""

    def __init__(self, listen: Listen, channel: str) -> None:
        with self._unavailable():
            self._line = listen()
            # Waits for: the confirmation. What was told before it may have been told to others only.
            (confirmed,) = self._line.ask(("SUBSCRIBE", channel))
            if isinstance(confirmed, RedisError):
                self._line.close()
                raise confirmed

    def receive(self, within_s: float) -> bytes | None:
        """Return the next text, or None; raise `Unavailable` when the connection was lost."""
        with self._unavailable():
            said = self._line.hear(within_s)
        if said is None:
            return None
        _, _, text = said
        heard: bytes = text
        return heard

    def close(self) -> None:
        """End the subscription."""
        self._line.close()

    @contextlib.contextmanager
    def _unavailable(self) -> Iterator[None]:
        try:
            yield
        except (RedisError, OSError) as error:
            raise Unavailable(
                f"the subscription was cut: {error}", detail="redis-unreachable", happened=Happened.NO
            ) from error
