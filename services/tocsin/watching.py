"""Watching: invalidations as they are told, for a person who looks on.

    sequenced, strict   42  product:1  tag category:toys      a write has two numbers: announced, finished
    pubsub, -flush      product:1  tag category:toys
    tracking            product:1                            the keys in Redis that changed, whoever changed them

What always holds: a watcher only listens; it holds no lease and no table, and no writer waits for it. What is told
while Redis can't be reached it misses.
"""

import queue
from collections.abc import Generator

from tocsin.assembly import connect
from tocsin.clock import SystemClock
from tocsin.errors import NotConfigured
from tocsin.message import EVERYTHING, Kind, message_of
from tocsin.names import Names
from tocsin.observer import Unobserved
from tocsin.redis.connection import RedisConnection
from tocsin.redis.sequenced.assembly import sequencer_on
from tocsin.settings import CacheSettings

LOOK_UP_EVERY_S = 0.2
_KINDS = {"k": "", "t": "tag ", "n": "namespace ", "p": "keys "}


def invalidations(settings: CacheSettings) -> Generator[str, None, None]:
    """Yield each invalidation as a line, and an empty one several times a second where there is none.

    Raises `Unavailable` when the log can't be heard, and `NotConfigured` where the strategy tells nobody anything.
    """
    if settings.strategy.is_sequenced:
        return _of_the_log(settings)
    if settings.strategy.listens:
        return _of_the_listener(settings)
    raise NotConfigured(
        f"strategy {settings.strategy.value!r} tells nobody of invalidations: there is nothing to watch."
        " 'sequenced', 'strict', 'pubsub', 'pubsub-flush' and 'tracking' do"
    )


def _of_the_log(settings: CacheSettings) -> Generator[str, None, None]:
    connection = RedisConnection(settings, SystemClock())
    try:
        subscription = sequencer_on(connection, settings).subscribe()
        while True:
            text = subscription.receive(LOOK_UP_EVERY_S)
            message = None if text is None else message_of(text)
            if message is None or message.kind is Kind.CANARY:
                yield ""
            else:
                yield "  ".join((str(message.position.sequence), *map(_readable, message.names)))
    finally:
        connection.close()


def _of_the_listener(settings: CacheSettings) -> Generator[str, None, None]:
    heard: queue.Queue[str] = queue.Queue()
    cache = connect(settings, observer=_Queueing(heard))
    cache.start()
    try:
        while True:
            try:
                yield heard.get(timeout=LOOK_UP_EVERY_S)  # for the next invalidation
            except queue.Empty:
                yield ""
    finally:
        cache.stop()


class _Queueing(Unobserved):
    """Hands on what the listener hears."""

    def __init__(self, heard: "queue.Queue[str]") -> None:
        self._heard = heard

    def invalidated(self, names: Names, source: str) -> None:
        if source == "backplane":
            tags = (f"tag {tag}" for tag in names.tags)
            spaces = (f"namespace {each}" for each in names.namespaces)
            every = ("everything",) if names.everything else ()
            patterns = (f"keys {pattern}" for pattern in names.patterns)
            self._heard.put("  ".join((*names.keys, *tags, *spaces, *patterns, *every)))


def _readable(name: str) -> str:
    if name == EVERYTHING:
        return "everything"
    kind, separator, text = name.partition(":")
    whole = ":*" if kind == "p" else ""
    return f"{_KINDS[kind]}{text}{whole}" if separator and kind in _KINDS else name
