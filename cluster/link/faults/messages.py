"""Messages: faults on single invalidation messages, on the way from Redis to one subscriber. Everything else passes.

    drop-messages         the subscriber never hears it, and its connection is as healthy as before
    duplicate-messages    it hears it twice
    delay-messages        it hears it later; what was said after it arrives before it
    reorder-messages      a few are kept and told in another order

No network does this to single messages of a TCP stream; a server, a proxy or a client library that loses, repeats or
re-sends them does. `keys` (names joined by `,`; none: all) and `probability` choose which; chance comes from `seed`.
Canaries, a listener's messages to itself, are left alone (`docs/contract.md` §3): with them the listener would notice.

What always holds: the stream stays a stream of whole frames. A frame that was begun before the fault passes as it
is, and one that is not whole when the fault ends goes on from where it was. What is no message is never changed, nor
reordered against other such frames; a fault upstream, or on a stream that is no RESP, does nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from cluster.link.faults.whole import PassOn
from cluster.link.resp import Framing, Told, told

if TYPE_CHECKING:
    from cluster.link.connection import Pipe
    from cluster.link.faults.fault import Carrier

CANARY_CHANNEL = b"canary"
CANARY_MESSAGE = re.compile(rb"[0-9a-f]+ [0-9]+ c(\n|$)")
SHOWN_BYTES = 80


@dataclass(frozen=True, slots=True)
class MessageFault:
    """One of the four. `delay_ms` is that of delay-messages, and the longest that reorder-messages keeps one;
    `window` is how many reorder-messages keeps before it tells them.
    """

    name: str
    listens: bool = True
    dials: bool = True
    one_way: bool = True
    keys: str = ""
    probability: float = 1.0
    delay_ms: float = 500.0
    window: int = 3
    seed: int = 0

    def carrier(self, pipe: Pipe) -> Carrier:
        """A carrier that knows frames; where there are none, one that passes everything."""
        if pipe.framing is None:
            return PassOn(pipe)
        return MessageCarrier(pipe, self, pipe.framing.twin())

    def concerns(self, message: Told) -> bool:
        """Whether a message is one of those that this is about, chance left aside."""
        if CANARY_CHANNEL in message.channel or CANARY_MESSAGE.match(message.payload):
            return False
        names = [name for name in self.keys.split(",") if name]
        return not names or any(
            re.search(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?![\w:])", message.payload) for name in names
        )


class MessageCarrier(PassOn):
    """Passes whole frames on, but does to the messages among them what the fault says."""

    __slots__ = ("_act", "_begun", "_chance", "_due", "_fault", "_framing", "_kept", "_part", "_timers")

    def __init__(self, pipe: Pipe, fault: MessageFault, framing: Framing) -> None:
        super().__init__(pipe)
        self._fault = fault
        self._framing = framing
        # What came before this carrier is through. Only behind the first end of a frame is it known where one begins.
        self._begun = framing.resting
        self._part = b""
        self._chance = Random(fault.seed)  # noqa: S311  # chance, not a secret
        self._kept: list[bytes] = []
        self._due: list[bytes] = []  # of those kept, the ones whose time has come
        self._timers: set[asyncio.TimerHandle] = set()
        self._act: Callable[[bytes], None] = {
            "drop-messages": self._drop,
            "duplicate-messages": self._duplicate,
            "delay-messages": self._delay,
            "reorder-messages": self._reorder,
        }[fault.name]

    def chunk(self, data: bytes) -> None:
        """Cut the stream into frames; what is not whole yet waits for its rest."""
        at = 0
        for end in self._framing.feed(data):
            frame, self._part = self._part + data[at:end], b""
            at = end
            if self._begun:
                self._frame(frame)
            else:
                self.pipe.deliver(frame)
                self._begun = True
                self._tell_due()
        self._part += data[at:]
        if self._part and (self._framing.lost or not self._begun or not self._may_be_message()):
            self.pipe.deliver(self._part)
            self._part = b""
            self._begun = False

    def end(self) -> None:
        """What waits goes before the end."""
        self._flush()
        super().end()

    def heal(self) -> None:
        """Messages that wait are told now; the beginning of a frame goes on its way, and its rest will follow."""
        self._flush()

    def _may_be_message(self) -> bool:
        return self._part[:1] in (b">", b"*")

    def _frame(self, frame: bytes) -> None:
        message = told(frame, subscribed=self._framing.subscribed)
        if message is None or not self._fault.concerns(message):
            self.pipe.deliver(frame)
            return
        tally = self.pipe.tally
        tally.messages += 1
        if self._chance.random() < self._fault.probability:
            tally.touched.append(message.payload[:SHOWN_BYTES].decode("utf-8", "backslashreplace"))
            tally.messages_touched += 1
            self._act(frame)
        else:
            self.pipe.deliver(frame)

    def _drop(self, frame: bytes) -> None:
        self.pipe.swallow(frame)

    def _duplicate(self, frame: bytes) -> None:
        self.pipe.deliver(frame)
        self.pipe.deliver(frame)

    def _delay(self, frame: bytes) -> None:
        self._kept.append(frame)
        self._later(lambda: self._tell([frame]))

    def _reorder(self, frame: bytes) -> None:
        self._kept.append(frame)
        if len(self._kept) >= self._fault.window:
            self._tell(self._shuffled())
        elif len(self._kept) == 1:
            self._later(lambda: self._tell(self._shuffled()))

    def _later(self, act: Callable[[], None]) -> None:
        def fire() -> None:
            self._timers.discard(timer)
            act()

        timer = asyncio.get_running_loop().call_later(self._fault.delay_ms / 1000, fire)
        self._timers.add(timer)

    def _tell(self, frames: list[bytes]) -> None:
        """Tell messages that were kept; between two frames only, never in the middle of one that passes in parts."""
        self._due += frames
        if self._begun:
            self._tell_due()

    def _tell_due(self) -> None:
        due, self._due = self._due, []
        for frame in due:
            if frame in self._kept:
                self._kept.remove(frame)
                self.pipe.deliver(frame)

    def _shuffled(self) -> list[bytes]:
        """Those that are kept, in another order than that in which they came, if there are two at least."""
        order = list(self._kept)
        self._chance.shuffle(order)
        return order if order != self._kept else order[::-1]

    def _flush(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        if self._kept and not self._begun:
            # In the middle of another frame there is no place for them, and a stream may not lose any in silence.
            self.pipe.connection.reset()
        for frame in self._kept:
            self.pipe.deliver(frame)
        self._kept.clear()
        self.pipe.deliver(self._part)
        self._part = b""
