"""The purger, turn by turn: nothing leaves unpurged, and nothing is noted that is not done."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from tocsin.cdn.client import PurgeLater, PurgeRefused
from tocsin.cdn.purger import AGAIN_MAX_S, WANTED_MAX, Purger
from tocsin.position import Position


class Recorded:
    """A CDN that notes what it is asked, does what `meanwhile` says during a call, and fails as planned."""

    name = "a CDN"
    names_max = 3
    every_s = 0.25

    def __init__(self) -> None:
        self.calls: list[tuple[str, ...]] = []
        self.failures: list[Exception] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def purge(self, tags: Sequence[str]) -> None:
        """Note the tags."""
        self.calls.append(tuple(tags))
        self.meanwhile()
        if self.failures:
            raise self.failures.pop(0)

    def purge_everything(self) -> None:
        """Note that."""
        self.purge(["*"])


class Scene:
    """A purger without a thread, and what became of it."""

    def __init__(self) -> None:
        self.cdn = Recorded()
        self.done: list[Position] = []
        self.said: list[str] = []
        self.waits: list[float] = []
        self.purger = Purger(
            self.cdn, done=self.done.append, tell=self.said.append, chance=lambda: 1.0, pause=self._pause
        )

    def _pause(self, _: threading.Event, seconds: float) -> None:
        self.waits.append(seconds)

    def turns(self, count: int) -> None:
        """So many."""
        failures = 0
        for _ in range(count):
            failures = self.purger.turn(failures)


def at(sequence: int) -> Position:
    """A position."""
    return Position(1, sequence)


def test_names_go_in_batches_each_once_and_then_the_position_is_noted() -> None:
    """Four names and a repeated one, three a call."""
    scene = Scene()
    scene.purger.want(["a", "b"], at(1))
    scene.purger.want(["b", "c", "d"], at(2))
    scene.turns(2)
    assert scene.cdn.calls == [("a", "b", "c"), ("d",)]
    assert scene.done == []
    scene.turns(1)
    assert scene.done == [at(2)]
    assert scene.waits == [0.25, 0.25]


def test_a_name_that_is_told_during_its_own_purge_is_purged_again() -> None:
    """The CDN may have purged before the write that it is told of now."""
    scene = Scene()
    scene.cdn.meanwhile = lambda: scene.purger.want(["a"], at(2)) if len(scene.cdn.calls) == 1 else None
    scene.purger.want(["a"], at(1))
    scene.turns(3)
    assert scene.cdn.calls == [("a",), ("a",)]
    assert scene.done == [at(2)]


def test_what_failed_is_asked_again_after_longer_and_longer_waits() -> None:
    """And comes before what was told since; the CDN's own wish counts where it is longer."""
    scene = Scene()
    scene.cdn.failures = [PurgeLater("busy"), PurgeLater("busy", 7.0), PurgeLater("busy")]
    scene.purger.want(["a", "b", "c"], at(1))
    scene.turns(1)
    scene.purger.want(["d"], at(2))
    scene.turns(5)
    assert scene.cdn.calls[1:4] == [("a", "b", "c")] * 3
    assert scene.waits[0] == 0.5
    scene = Scene()
    scene.cdn.failures = [PurgeLater("busy"), PurgeLater("busy", 7.0), PurgeLater("busy")]
    scene.purger.want(["a"], at(1))
    scene.turns(4)
    assert scene.waits == [0.5, 7.0, 2.0, 0.25]
    assert "busy" in scene.said[0]


def test_a_refusal_is_said_and_nothing_is_noted_as_done() -> None:
    """Somebody must mend the token; until then the state file stays behind."""
    scene = Scene()
    scene.cdn.failures = [PurgeRefused("wrong token")]
    scene.purger.want(["a"], at(1))
    scene.turns(1)
    assert scene.said == ["wrong token; again in 60.0 s"]
    assert scene.waits == [AGAIN_MAX_S]
    assert scene.done == []


def test_everything_takes_the_place_of_names_and_names_after_it_are_part_of_it() -> None:
    """Until it was purged; names that are told during its call go by themselves."""
    scene = Scene()
    scene.purger.want(["a"], at(1))
    scene.purger.want_everything(at(2))
    scene.purger.want(["b"], at(3))
    scene.cdn.meanwhile = lambda: scene.purger.want(["c"], at(4)) if len(scene.cdn.calls) == 1 else None
    scene.turns(3)
    assert scene.cdn.calls == [("*",), ("c",)]
    assert scene.done == [at(4)]


def test_everything_that_failed_is_asked_again_whole() -> None:
    """Names that came meanwhile are part of it again."""
    scene = Scene()
    scene.cdn.failures = [PurgeLater("busy")]
    scene.cdn.meanwhile = lambda: scene.purger.want(["c"], at(4)) if len(scene.cdn.calls) == 1 else None
    scene.purger.want_everything(at(2))
    scene.turns(3)
    assert scene.cdn.calls == [("*",), ("*",)]
    assert scene.done == [at(4)]


def test_more_names_than_can_be_held_become_everything() -> None:
    """Memory is bounded while a CDN is away."""
    scene = Scene()
    scene.purger.want([f"n{number}" for number in range(WANTED_MAX + 1)], at(1))
    scene.turns(1)
    assert scene.cdn.calls == [("*",)]
