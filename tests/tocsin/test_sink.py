"""What the follower owes a sink that can be lost: nothing is told to it before it was asked what it still holds."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pytest
from tocsin.follower import Follower, Rhythm
from tocsin.generation import Keeper, private_memory
from tocsin.memory.sequenced import MemorySequencer
from tocsin.memory.sequenced_state import MemoryServer
from tocsin.position import Position
from tocsin.sequencer import Terms
from tocsin.sink import Sink, SinkLost

RHYTHM = Rhythm(lease_s=1.0, beat_every_s=0.2)


@dataclass
class FarSink:
    """A sink behind a connection that fails when it is told to; it notes what it is asked."""

    calls: list[str] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)
    held: Position = Position()  # noqa: RUF009 - a frozen value

    def take_over(self) -> Position:
        self._note("take_over")
        return self.held

    def suspend(self) -> None:
        self._note("suspend")

    def renew(self, deadline_s: float) -> None:
        self._note("renew")

    def apply(self, sequence: int, names: Iterable[str]) -> None:
        self._note(f"apply {sequence} {' '.join(names)}")

    def flush(self, position: Position) -> None:
        self._note(f"flush {position.sequence}")
        self.held = position

    def _note(self, call: str) -> None:
        self.calls.append(call)
        if self.fails and call.startswith(self.fails[0]):
            self.fails.pop(0)
            raise SinkLost(f"no answer to {call}")


@dataclass
class Town:
    """A server whose clock stands still until somebody pauses, and the follower of one sink."""

    sink: FarSink
    now_s: float = 100.0
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.server = MemoryServer(now=lambda: self.now_s, terms=Terms())
        self.writer = MemorySequencer(self.server, threading.Lock(), lambda _: None)
        self.follower = Follower(
            feed=MemorySequencer(self.server, threading.Lock(), self.pause),
            sink=self.sink,
            node="edge#1",
            now=lambda: self.now_s,
            beats=1,
            rhythm=RHYTHM,
            tell=self.told.append,
        )

    def pause(self, seconds: float) -> None:
        self.now_s += seconds

    def follow_until(self, happened: Callable[[], bool]) -> None:
        """Follow until something has happened; at most for a minute of this town's time."""
        self.follower.follow(lambda: happened() or self.now_s > 160.0, self.pause)
        assert happened(), self.sink.calls


def test_a_table_is_a_sink() -> None:
    """The generation table of a node is the first of the sinks."""
    keeper: Sink = Keeper(private_memory(8))
    keeper.flush(Position(7, 3))
    keeper.apply(4, ["k:product:1"])
    assert keeper.take_over() == Position(7, 4)


@pytest.mark.parametrize("failing", ["apply", "renew", "flush", "take_over"])
def test_a_lost_sink_is_asked_what_it_holds_before_anything_is_told(failing: str) -> None:
    """Whether the failed call took effect is unknown, and the sink may be another by now: empty, or as it was.

    A follower that went on would leave a sink that lost everything with a lease and without marks.
    """
    sink = FarSink(fails=[failing])
    town = Town(sink)
    town.writer.finish("w", ["k:product:1"])
    if failing == "apply":
        sink.held = Position(town.writer.position().epoch, 0)
    town.follow_until(lambda: not sink.fails and sink.calls.count("renew") > (failing == "renew"))
    lost_at = next(index for index, call in enumerate(sink.calls) if call.startswith(failing))
    assert sink.calls[lost_at + 1] == "take_over", sink.calls
    assert town.told == [f"no answer to {sink.calls[lost_at]}"]


def test_what_was_not_applied_for_certain_is_told_again() -> None:
    """A lost apply is no apply: the log is read again from the position that the sink says."""
    sink = FarSink(fails=["apply"])
    town = Town(sink)
    town.writer.finish("w", ["k:product:1"])
    sink.held = Position(town.writer.position().epoch, 0)
    town.follow_until(lambda: len([call for call in sink.calls if call.startswith("apply 1")]) == 2)


def test_an_agent_that_could_not_end_the_lease_stays_a_holder() -> None:
    """A strict writer waits for every holder. Without this:

    agent:  can't reach the sink, takes itself out of the holders, ends
    writer:                                                         waits for nobody, commits
    edge:   its lease lasts another 0.8 s ......................................... serves the old value
    """
    sink = FarSink()
    town = Town(sink)
    town.follow_until(lambda: "renew" in sink.calls)
    assert not town.writer.holders(), "an agent that ended the lease leaves"
    sink = FarSink(fails=[])
    town = Town(sink)

    def renewed() -> bool:
        if "renew" in sink.calls:
            sink.fails[:] = ["suspend"]
            return True
        return False

    town.follow_until(renewed)
    assert list(town.writer.holders()) == ["edge#1"]
