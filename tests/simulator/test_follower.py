"""The follower, message by message: on time by what it is told, right by the log, alive by its beat."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import pytest
from tocsin.errors import Unavailable
from tocsin.follower import Follower, Rhythm
from tocsin.generation import Generations, Keeper, Memory, private_memory
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.position import Position
from tocsin.proof import Stamp
from tocsin.sequencer import Subscription, Terms

NAME = "k:product:1"
SLOTS = 64
LEASE_S = 1.0


@dataclass
class Node:
    """A server, a node's follower on a clock moved by hand, and its table."""

    terms: Terms = field(default_factory=lambda: Terms(log_length=20))
    now_s: float = 100.0

    def __post_init__(self) -> None:
        self.server = MemoryServer(now=lambda: self.now_s, terms=self.terms)
        self.writer = MemorySequencer(self.server, threading.Lock(), lambda _: None)
        self.memory: Memory = private_memory(SLOTS)
        self.table = Generations(self.memory)
        self.follower = self.new_follower()
        self.subscription: Subscription = self.feed.subscribe()

    def new_follower(self) -> Follower:
        """Return a follower as a new agent would be."""
        self.feed = MemorySequencer(self.server, threading.Lock(), lambda _: None)
        return Follower(
            feed=self.feed,
            sink=Keeper(self.memory),
            node="node-1",
            now=lambda: self.now_s,
            beats=1000,
            rhythm=Rhythm(lease_s=LEASE_S),
        )

    def start(self) -> Node:
        """Start, and go on until it has a lease."""
        self.follower.take_over()
        self.follower.catch_up()
        self.turns(4)
        assert self.lease_s > 0
        return self

    def turns(self, count: int) -> None:
        """Let the follower take some turns, without time passing."""
        for _ in range(count):
            self.follower.turn(self.subscription)

    def pass_s(self, seconds: float) -> None:
        """Let time pass, with the turns that are due in it."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s = min(self.now_s + 0.1, end_s)
            self.turns(3)

    def write(self, name: str = NAME) -> Position:
        """Invalidate a name as a writer that finishes does; return its position."""
        return self.writer.finish("w", [name]).position

    @property
    def lease_s(self) -> float:
        """What is left of the lease."""
        return self.table.lease_s(self.now_s)

    def hit(self, base: Position) -> bool:
        """Whether an entry of product 1 known good at `base` is a hit."""
        stamp = Stamp(base.epoch, base.sequence, self.table.slots([NAME]))
        return not self.table.doubt(stamp, self.now_s)


@pytest.fixture
def node() -> Node:
    """A node with a lease."""
    return Node().start()


def test_a_node_without_proof_has_no_lease() -> None:
    """Nothing is a hit before the first beat was answered and the first canary was heard."""
    node = Node()
    node.follower.take_over()
    node.follower.catch_up()
    assert not node.hit(node.writer.position())
    node.turns(1)
    assert node.lease_s <= 0, "beaten, but it has not heard its canary yet"
    node.turns(2)
    assert node.hit(node.writer.position())


def test_what_is_told_is_applied_at_once(node: Node) -> None:
    """An entry of before the invalidation is no hit as soon as the message is heard; one of after it is."""
    before = node.writer.position()
    after = node.write()
    assert node.hit(before), "nothing was heard yet: this is what the lease bounds"
    node.turns(1)
    assert not node.hit(before)
    assert node.hit(after)


def test_a_message_told_twice_or_late_changes_nothing(node: Node) -> None:
    """S ≤ applied is ignored."""
    node.write()
    inbox = node.server.inboxes[0]
    inbox.append(inbox[0])
    after = node.write("k:product:2")
    node.turns(3)
    assert node.follower.applied == after
    assert node.hit(after)


def test_a_lost_message_is_found_by_the_next(node: Node) -> None:
    """A gap is repaired from the log before anything is a hit again."""
    before = node.writer.position()
    node.write()
    node.server.inboxes[0].clear()
    after = node.write("k:product:2")
    node.turns(1)
    assert node.follower.applied == after
    assert not node.hit(before)
    assert node.lease_s <= 0, "a gap ends the lease"
    node.pass_s(0.2)
    assert node.hit(after)


def test_a_lost_last_message_is_found_by_the_beat(node: Node) -> None:
    """Hazard 6: silence after a loss; the beat reads the sequence, and the log repairs what is behind it."""
    before = node.writer.position()
    node.write()
    node.server.inboxes[0].clear()
    node.pass_s(0.3)
    assert not node.hit(before)
    assert node.lease_s > 0


def test_a_trimmed_log_is_a_flush(node: Node) -> None:
    """C4: what can't be replayed is cleared at S: entries of before it die, those known good at S survive."""
    before = node.writer.position()
    for _ in range(node.terms.log_length + 5):
        after = node.write("k:product:2")
    node.server.inboxes[0].clear()
    node.pass_s(0.3)
    assert node.follower.applied == after
    assert not node.hit(Position(before.epoch, after.sequence - 1))
    assert node.hit(after)


def test_the_lease_counts_from_before_the_question(node: Node) -> None:
    """M03: an answer that took 5 s renews nothing that is left now."""
    asked = node.feed.beat

    def slowly(*arguments: object, **named: object) -> Position:
        answer = asked(*arguments, **named)  # type: ignore[arg-type]
        node.now_s += 5
        return answer

    node.feed.beat = slowly  # type: ignore[method-assign]
    node.now_s += 0.2
    node.turns(1)
    assert node.lease_s <= 0


def test_a_node_cut_off_has_no_lease_after_l(node: Node) -> None:
    """P2: nothing is heard and nothing answered; after L nothing is a hit."""
    base = node.writer.position()
    node.now_s += LEASE_S / 2
    assert node.hit(base)
    node.now_s += LEASE_S / 2
    assert not node.hit(base)


def test_a_deaf_node_does_not_renew_its_lease(node: Node) -> None:
    """† Hazard 36: answers come and messages do not; without its canary the node does not use L1."""
    node.server.inboxes[0] = type(node.server.inboxes[0])()
    node.server.inboxes.clear()
    node.subscription = Deaf()
    node.pass_s(Rhythm().canary_within_s + LEASE_S + 0.3)
    assert node.lease_s <= 0


class Deaf:
    """A subscription that seems alive."""

    def receive(self, within_s: float) -> None:
        """Return nothing."""

    def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize("from_snapshot", [False, True])
def test_a_restarted_server_is_another_epoch(node: Node, from_snapshot: bool) -> None:
    """† The node flushes, and takes up the epoch that began, which is above the one it knew."""
    snapshot = node.server.snapshot()
    before = node.write()
    node.turns(1)
    node.server.restart(snapshot if from_snapshot else None)
    with pytest.raises(Unavailable):
        node.turns(1)
    node.subscription = node.feed.subscribe()
    node.follower.catch_up()
    node.pass_s(0.3)
    assert node.follower.applied.epoch > before.epoch
    assert not node.hit(before)
    assert node.hit(node.writer.position())


def test_a_rollback_within_an_epoch_is_a_new_epoch(node: Node) -> None:
    """† S < applied in the same epoch proves that the server lost what it had told: no renewal, another epoch."""
    snapshot = node.server.snapshot()
    before = node.write()
    node.turns(1)
    node.server.tables = snapshot
    node.pass_s(0.3)
    assert node.follower.applied.epoch > before.epoch
    assert not node.hit(before)


def test_a_new_agent_takes_up_what_it_can_prove(node: Node) -> None:
    """† The same epoch, not ahead of S, and the log reaches back: entries survive the agent; else they do not."""
    before = node.writer.position()
    survivor = node.write("k:product:2")
    missed = node.write()
    node.follower = node.new_follower()
    node.subscription = node.feed.subscribe()
    node.follower.take_over()
    assert not node.hit(survivor), "the lease of the agent before is not inherited"
    node.follower.catch_up()
    node.pass_s(0.3)
    assert node.follower.applied == missed
    assert not node.hit(before)
    assert not node.hit(survivor)
    assert node.hit(missed)


def test_a_strict_invalidation_is_acknowledged_when_it_is_applied(node: Node) -> None:
    """The writer that waits finds this node at its sequence without waiting for the next beat."""
    announced = node.writer.announce("w", [NAME], strict=True)
    assert node.writer.holders()["node-1"].applied < announced.position
    node.turns(1)
    assert node.writer.holders()["node-1"].applied == announced.position


def test_what_is_not_a_message_is_not_heard(node: Node) -> None:
    """Foreign bytes on the channel change nothing; a garbled message is repaired from the log."""
    node.server.publish("PING")
    after = node.write()
    inbox = node.server.inboxes[0]
    inbox[-1] = "garbled"
    node.turns(2)
    assert node.follower.applied < after
    node.pass_s(0.3)
    assert node.follower.applied == after
