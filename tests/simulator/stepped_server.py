"""Stepped server: a node's way to the server, where each request and each reply is a step, and either may be lost.

    node ── request ──▶ │ step │ ──▶ server does it at once ──▶ │ step │ ──▶ reply
                        └ lost: it did not happen              └ lost: it did

Messages wait in the subscriber's inbox and come in any order, late, twice or not at all.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from tocsin.entry import Miss
from tocsin.errors import Happened, Unavailable
from tocsin.memory.sequenced import MemorySequencer
from tocsin.position import Position
from tocsin.sequencer import (
    Announcement,
    Busy,
    Ended,
    Given,
    Glimpsed,
    Holder,
    Kept,
    Log,
    Lying,
    Permitted,
    Put,
    Subscription,
    Token,
    Writing,
)

from tests.simulator.scheduler import Scheduler

Result = TypeVar("Result")


class Weather:
    """How unreliable a way to the server is: chances of loss, disorder and delay. At first it is calm."""

    __slots__ = ("cut", "delay", "disorder", "lose_message", "lose_request")

    def __init__(self) -> None:
        self.clear()

    def turn(self, *, lose_request: float, lose_message: float, disorder: float, delay: float) -> None:
        """Be like this from now on."""
        self.lose_request = lose_request
        self.lose_message = lose_message
        self.disorder = disorder
        self.delay = delay

    def clear(self) -> None:
        """Lose nothing from now on."""
        self.cut = False
        self.turn(lose_request=0.0, lose_message=0.0, disorder=0.0, delay=0.0)


class SteppedSequencer:
    """Both ports of one node."""

    def __init__(self, sequencer: MemorySequencer, scheduler: Scheduler, weather: Weather, seen: Counter[str]) -> None:
        self._sequencer = sequencer
        self._scheduler = scheduler
        self._weather = weather
        self._seen = seen

    def announce(self, writer: str, names: Sequence[str], *, strict: bool = False) -> Announcement:
        """See `tocsin.sequencer.Sequencer`, as all below."""
        return self._ask(lambda: self._sequencer.announce(writer, names, strict=strict))

    def finish(
        self, writer: str, names: Sequence[str], *, announced: Position | None = None, puts: Sequence[Put] = ()
    ) -> Ended:
        """As above."""
        return self._ask(lambda: self._sequencer.finish(writer, names, announced=announced, puts=puts))

    def lookup(self, key: str, owner: str, early_s: float = 0.0) -> Given | Writing | Permitted | Busy:
        """As above."""
        found = self._ask(lambda: self._sequencer.lookup(key, owner, early_s))
        self._seen[type(found).__name__.lower()] += 1
        return found

    def glimpse(self, keys: Sequence[str]) -> Glimpsed:
        """As above."""
        found = self._ask(lambda: self._sequencer.glimpse(keys))
        self._seen["glimpsed"] += sum(isinstance(each, Lying) for each in found.entries)
        return found

    def peek(self, keys: Sequence[str]) -> list[Given | Miss]:
        """As above."""
        return self._ask(lambda: self._sequencer.peek(keys))

    def fill(self, put: Put, token: Token) -> Kept:
        """As above."""
        kept = self._ask(lambda: self._sequencer.fill(put, token))
        self._seen["filled" if kept.stored else "late fill refused"] += 1
        return kept

    def release(self, key: str, token: Token) -> bool:
        """As above."""
        released = self._ask(lambda: self._sequencer.release(key, token))
        self._seen["given back"] += released
        return released

    def position(self) -> Position:
        """As above."""
        return self._ask(self._sequencer.position)

    def holders(self) -> Mapping[str, Holder]:
        """As above."""
        return self._ask(self._sequencer.holders)

    def retire(self, node: str, beats: int) -> bool:
        """As above."""
        return self._ask(lambda: self._sequencer.retire(node, beats))

    def subscribe(self) -> Subscription:
        """As above."""
        return self._ask(lambda: SteppedSubscription(self._sequencer.subscribe(), self._scheduler, self._weather))

    def beat(self, node: str, beats: int, applied: Position, *, canary: str = "") -> Position:
        """As above."""
        return self._ask(lambda: self._sequencer.beat(node, beats, applied, canary=canary))

    def acknowledge(self, node: str, beats: int, applied: Position) -> None:
        """As above."""
        self._ask(lambda: self._sequencer.acknowledge(node, beats, applied))

    def log(self, after: int) -> Log:
        """As above."""
        log = self._ask(lambda: self._sequencer.log(after))
        if log.messages:
            self._seen["repaired from the log"] += 1
        return log

    def begin_epoch(self, after: int) -> Position:
        """As above."""
        return self._ask(lambda: self._sequencer.begin_epoch(after))

    def sweep(self) -> int:
        """As above."""
        return self._ask(self._sequencer.sweep)

    def _ask(self, request: Callable[[], Result]) -> Result:
        weather, scheduler = self._weather, self._scheduler
        scheduler.step()
        fate = scheduler.chance() - weather.lose_request  # one draw: the request is lost, or the reply, or it is late
        if weather.cut or fate < 0:
            self._seen["request lost"] += 1
            raise Unavailable("the request was lost", detail="redis-unreachable", happened=Happened.NO)
        reply = request()
        if fate > 1 - weather.delay - weather.lose_request:
            scheduler.pause(scheduler.chance() * 2.0)
        else:
            scheduler.step()
        if weather.cut or fate < weather.lose_request:
            self._seen["reply lost"] += 1
            raise Unavailable("the reply was lost", detail="redis-unreachable", happened=Happened.UNKNOWN)
        return reply


class SteppedSubscription:
    """A subscription whose messages are lost and mixed."""

    def __init__(self, subscription: Subscription, scheduler: Scheduler, weather: Weather) -> None:
        self._subscription = subscription
        self._scheduler = scheduler
        self._weather = weather
        self._waiting: deque[str | bytes] = deque()
        self._ended: Unavailable | None = None
        self._looked = -1

    def receive(self, within_s: float) -> str | bytes | None:
        """Return one of the messages that wait, perhaps not the first; wait for one if there is none."""
        if not self._gather() and within_s > 0:
            self._scheduler.park(self._scheduler.now() + within_s, self._gather)
            self._gather()
        if self._ended is not None:
            raise self._ended
        if not self._waiting:
            return None
        chance = self._scheduler.chance
        if len(self._waiting) > 1 and chance() < self._weather.disorder:
            self._waiting.rotate(-1)
        text = self._waiting.popleft()
        if chance() < self._weather.lose_message:
            return None
        if chance() < self._weather.disorder / 2:
            self._waiting.append(text)
        return text

    def close(self) -> None:
        """End it."""
        self._subscription.close()

    def _gather(self) -> bool:
        if self._looked != self._scheduler.stirs and not self._weather.cut:
            self._looked = self._scheduler.stirs
            try:
                while (text := self._subscription.receive(0)) is not None:
                    self._waiting.append(text)
            except Unavailable as error:
                self._ended = error
        return bool(self._waiting) or self._ended is not None
