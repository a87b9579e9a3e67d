"""Follower: keeps a sink true to the log, and renews its lease while it can prove that.

The sink is a node's generation table, or what stands for one at an edge (`tocsin.sink`).

    subscription ── told ──▶ s = applied + 1: apply │ s ≤ applied: ignore │ larger: a gap, repair from the log
    beat, every 200 ms  ──▶ (epoch, S): once applied ≥ S, the lease lasts until t0 + L, t0 read before asking
    log  ── truth ───────▶ contiguous from applied + 1: apply │ trimmed, or another epoch: flush

What is told makes it fast, the log makes it right, the beat proves it: nothing here depends on a message arriving. What
always holds:

- One follower per sink. It runs on one thread, in a process of its own or in a worker, so its steps need no order
  beyond that of the sink.
- A lease is never renewed for a time that counts from an answer, only from before the question.
- When Redis is not to be reached nothing is done: the lease ends by itself.
- A sink that was lost is asked what it still holds before anything is told to it.

Sources: PROTOCOL "Keeping the evidence fresh"; hazards 3 to 7, 18 and 36.
"""

import contextlib
from collections.abc import Callable

from msgspec import Struct

from tocsin.diary import Diary
from tocsin.errors import Unavailable
from tocsin.message import Kind, Message, message_of
from tocsin.position import Position
from tocsin.sequencer import Feed, Subscription
from tocsin.sink import Sink, SinkLost


class Rhythm(Struct, frozen=True, kw_only=True):
    """How often, in seconds. A lease lasts `lease_s`, and is renewed every `beat_every_s`.

    A canary is sent every `canary_every_s`; one that has not been heard within `canary_within_s` means that what is
    told does not arrive here, and then the lease is not renewed. After an error the follower waits `again_after_s`.
    Every `sweep_every_s`, several leases long, it removes what dead writers and nodes left.
    """

    lease_s: float = 1.0
    beat_every_s: float = 0.2
    canary_every_s: float = 1.0
    canary_within_s: float = 3.0
    again_after_s: float = 0.1
    sweep_every_s: float = 10.0


class Follower:
    """Follows the log of one namespace for one node.

    `beats` is where its count begins: a number that no earlier follower of this node has come to, so that a strict
    writer can tell them apart. `tell` gets a sentence, for people, each time that the sink is lost.
    """

    def __init__(
        self,
        *,
        feed: Feed,
        sink: Sink,
        node: str,
        now: Callable[[], float],
        beats: int,
        rhythm: Rhythm = Rhythm(),  # noqa: B008 - a frozen value
        tell: Callable[[str], None] = lambda _: None,
        diary: Diary | None = None,
    ) -> None:
        self._feed = feed
        self._sink = sink
        self._node = node
        self._now = now
        self._rhythm = rhythm
        self._tell = tell
        self._diary = diary or Diary()
        self._beats = beats
        self._applied = Position()
        self._beat_at_s = self._canary_at_s = self._sweep_at_s = now()
        self._canaries: dict[int, float] = {}
        self._heard_s: float | None = None
        self._holders: dict[str, int] = {}

    @property
    def applied(self) -> Position:
        """The position up to which the sink holds everything."""
        return self._applied

    def follow(self, stopped: Callable[[], bool], pause: Callable[[float], None]) -> None:
        """Follow until `stopped`, through every loss of Redis or of the sink; `pause` waits so many seconds."""
        taken_over = False
        while not stopped():
            try:
                if not taken_over:
                    self.take_over()
                    taken_over = True
                subscription = self._feed.subscribe()
                try:
                    self.catch_up()
                    while not stopped():
                        self.turn(subscription)
                finally:
                    subscription.close()
            except Unavailable:
                pause(self._rhythm.again_after_s)
            except SinkLost as error:
                # Whether the last call took effect is unknown, and the sink may be another by now.
                taken_over = False
                self._tell(str(error))
                pause(self._rhythm.again_after_s)
        self.end()

    def end(self) -> None:
        """End the lease, and tell the strict writers that they need not wait for this node."""
        try:
            self._sink.suspend()
        except SinkLost:
            return  # the lease may go on, until it ends by itself: the strict writers must wait for that
        with contextlib.suppress(Unavailable):
            self._feed.retire(self._node, self._beats)

    def take_over(self) -> None:
        """Take up what the follower before this one left in the sink, without its lease; `catch_up` then judges it."""
        self._applied = self._sink.take_over()

    def turn(self, subscription: Subscription) -> bool:
        """Beat if it is time, else hear what is told next; return False if nothing was. Raises `Unavailable`."""
        wait_s = self._beat_at_s - self._now()
        if wait_s <= 0:
            self._beat(subscription)
            return True
        # Waits for: the next invalidation, until the next beat.
        text = subscription.receive(wait_s)
        if text is not None:
            self._hear(text)
        return text is not None

    def catch_up(self) -> None:
        """Read the log from `applied` on; apply what follows without a gap, or flush. Raises `Unavailable`.

        A subscription must be in force before: what is written between reading and subscribing is told to nobody.
        """
        while True:
            log = self._feed.log(self._applied.sequence)
            if log.position.epoch != self._applied.epoch:
                if log.position.epoch < self._applied.epoch:
                    # The server forgot more than its epoch. Sessions and other nodes remember ours: go above it.
                    self._flush(self._feed.begin_epoch(self._applied.epoch))
                else:
                    self._flush(log.position)
                return
            if log.position.sequence < self._applied.sequence:
                # The same epoch went back: the server lost writes that it had told us of.
                self._flush(self._feed.begin_epoch(self._applied.epoch))
                return
            if log.position.sequence == self._applied.sequence:
                return
            if not self._apply_all(log.messages):
                self._flush(log.position)
                return

    def _apply_all(self, messages: tuple[Message, ...]) -> bool:
        """Apply messages of the log; return False if the next one is not among them, because it was trimmed."""
        for message in messages:
            if message.position != Position(self._applied.epoch, self._applied.sequence + 1):
                return False
            self._apply(message)
        return bool(messages)

    def _hear(self, text: str | bytes) -> None:
        try:
            message = message_of(text)
        except ValueError:
            return  # not of ours; if something of ours was garbled, its number is missing, and the log has it
        if message.kind is Kind.CANARY:
            self._hear_canary(message)
            return
        position = message.position
        if position.epoch == self._applied.epoch:
            if position.sequence == self._applied.sequence + 1:
                self._apply(message)
                return
            if position.sequence <= self._applied.sequence:
                return
        # A gap, or another epoch. No hit is proved from here on until the log has been read.
        self._diary.repaired()
        self._sink.suspend()
        self.catch_up()

    def _hear_canary(self, message: Message) -> None:
        sent_s = self._canaries.pop(message.position.sequence, None)
        if message.names != (self._node,) or sent_s is None:
            return
        if self._heard_s is None:
            self._beat_at_s = self._now()  # the first proof that we hear: what was waiting for it is the lease
        self._heard_s = sent_s
        self._diary.heard(self._now() - sent_s)

    def _beat(self, subscription: Subscription) -> None:
        rhythm = self._rhythm
        begun_s = self._now()
        self._beat_at_s = begun_s + rhythm.beat_every_s
        self._beats += 1
        position = self._feed.beat(self._node, self._beats, self._applied, canary=self._canary(begun_s))
        if position.epoch != self._applied.epoch or position.sequence < self._applied.sequence:
            self._sink.suspend()
            self.catch_up()
            self._beat_at_s = self._now()
            return
        # What was told before the answer may still lie in the socket.
        while self._applied.sequence < position.sequence:
            text = subscription.receive(0)
            if text is None:
                self.catch_up()
                break
            self._hear(text)
        if begun_s >= self._sweep_at_s:
            self._sweep_at_s = begun_s + rhythm.sweep_every_s
            self._sweep()
        heard = self._heard_s is not None and begun_s < self._heard_s + rhythm.canary_within_s
        if heard and self._applied >= position and self._applied.epoch == position.epoch:
            # From before the question. From the answer's time on (M03):
            #   beat: asks ── Redis: S = 4 ──▶ …… delayed by 5 s …… ──▶ renews to now + L
            #   writer:               s = 5, acknowledged
            self._sink.renew(begun_s + rhythm.lease_s)

    def _sweep(self) -> None:
        """Remove what is left of writers and nodes that died: a node that has not beaten since the last sweep."""
        self._feed.sweep()
        holders = {node: holder.beats for node, holder in self._feed.holders().items() if node != self._node}
        for node, beats in holders.items():
            if self._holders.get(node) == beats:
                self._feed.retire(node, beats)
        self._holders = holders

    def _canary(self, now_s: float) -> str:
        if now_s < self._canary_at_s:
            return ""
        self._canary_at_s = now_s + self._rhythm.canary_every_s
        oldest_s = now_s - self._rhythm.canary_within_s
        self._canaries = {number: sent_s for number, sent_s in self._canaries.items() if sent_s > oldest_s}
        self._canaries[self._beats] = now_s
        return self._node

    def _apply(self, message: Message) -> None:
        self._sink.apply(message.position.sequence, message.names)
        self._applied = message.position
        if message.kind is Kind.STRICT:
            self._feed.acknowledge(self._node, self._beats, self._applied)

    def _flush(self, position: Position) -> None:
        self._diary.flushed()
        self._sink.flush(position)
        self._applied = position
