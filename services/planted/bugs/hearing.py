"""Bugs of those who listen, under `pubsub`: deaf from the start, after a while, or to one another."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import cast

from msgspec.structs import replace
from tocsin.assembly import Adapters
from tocsin.backplane import Backplane, Hear, Hearing, Listener
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.invalidation import Invalidation
from tocsin.names import Names
from tocsin.observer import Unobserved
from tocsin.redis.connection import RedisConnection
from tocsin.redis.ears import SubscribedEar
from tocsin.redis.listener import Ear, RedisListener, Told
from tocsin.settings import CacheSettings, Strategy
from tocsin.shared import NOT_ANNOUNCED, Announced, Finished, SharedLevel, Store

from planted.adaptation import Adaptation
from planted.around import Around

FROM = "from:"
HEARD_MAX = 20


def _listening(ear: Ear, settings: CacheSettings, clock: Clock) -> RedisListener:
    flushes = settings.strategy is not Strategy.PUBSUB
    return RedisListener(ear, settings, clock=clock, observer=Unobserved(), flushes=flushes)


class WrongChannel(Adaptation):
    """Listeners subscribe to a channel that nobody publishes to: a prefix that was renamed on one side only.

    Their canaries come back all the same, since both ends of those are theirs.
    """

    def adapters(self, adapters: Adapters, settings: CacheSettings, clock: Clock) -> Adapters:
        """A listener of another namespace."""
        other = replace(settings, namespace=f"{settings.namespace}-v2")
        ear = SubscribedEar(RedisConnection(other, clock), other, clock=clock)
        return replace(adapters, backplane=_listening(ear, settings, clock))


class _Mortal(Around):
    """An ear that ends its thread with the first error, or with the twentieth message, which it can't bear."""

    def listen(self, told: Told, ending: threading.Event) -> None:
        """Hear until something goes wrong."""
        with contextlib.suppress(Exception):
            self.inner.listen(cast(Told, _Counted(told)), ending)


class _Counted(Around):
    """Who is told, up to a message that raises."""

    def __init__(self, inner: Told) -> None:
        super().__init__(inner)
        self._left = HEARD_MAX

    def heard(self, decode: Callable[[], Names]) -> None:
        """Hear one more."""
        self._left -= 1
        if not self._left:
            raise RuntimeError("a message that nobody thought of")
        self.inner.heard(decode)


class _Boastful(Around):
    """A listener that calls itself well because it was started."""

    def hearing(self) -> Hearing:
        """Return what a flag says that nobody takes back."""
        return Hearing(hears=True, detail="started")


class ListenerDies(Adaptation):
    """The thread that listens ends with the first exception, be it a lost connection (redis-py 816) or a message that
    it can't bear: deaf from then on, and ready as before.
    """

    def adapters(self, adapters: Adapters, settings: CacheSettings, clock: Clock) -> Adapters:
        """A listener whose thread may end."""
        ear = cast(Ear, _Mortal(SubscribedEar(RedisConnection(settings, clock), settings, clock=clock)))
        return replace(adapters, backplane=cast(Listener, _Boastful(_listening(ear, settings, clock))))


class _Inherited(_Boastful):
    """A listener that was started in the master: in the worker there is its object, and no thread."""

    def start(self, hear: Hear) -> None:
        """Do nothing: it was started already, before the fork."""


class ListenerBeforeFork(Adaptation):
    """The listener was started before gunicorn forked (`--preload`): threads do not survive a fork (hazard 34)."""

    def adapters(self, adapters: Adapters, settings: CacheSettings, clock: Clock) -> Adapters:  # noqa: ARG002
        """Around the listener."""
        return replace(adapters, backplane=cast(Listener, _Inherited(adapters.backplane)))


class _Signed(Around):
    """L2 whose messages carry the node that sent them, as one more tag."""

    def __init__(self, inner: SharedLevel, node: str) -> None:
        super().__init__(inner)
        self._node = node

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Sign."""
        names = invalidation.names
        signed = replace(names, tags=(*names.tags, f"{FROM}{self._node}"))
        finished: Finished = self.inner.finish(replace(invalidation, names=signed), stores, announced)
        return finished


class _SelfCentred(Around):
    """A listener that skips what its own node has said, though each of its workers has an L1 of its own."""

    def __init__(self, inner: Backplane, node: str) -> None:
        super().__init__(inner)
        self._node = node

    def start(self, hear: Hear) -> None:
        """Listen to the others."""

        def skip(names: Names) -> None:
            if f"{FROM}{self._node}" not in names.tags:
                hear(names)

        self.inner.start(skip)


class OwnEcho(Adaptation):
    """The own echo is suppressed, by node: the sibling worker, which has not dropped it itself, never hears."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around L2 and the listener."""
        node = settings.node_name
        return replace(parts, shared=_Signed(parts.shared, node), backplane=_SelfCentred(parts.backplane, node))
