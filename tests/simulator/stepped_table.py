"""A stepped table: a generation table of which each load and each store is one step that others may come between."""

from collections.abc import Callable
from dataclasses import dataclass, field

from tocsin.generation import (
    APPLIED,
    CHANGE,
    DEADLINE,
    EPOCH,
    HEADER_WORDS,
    Generations,
    Keeper,
    Memory,
)
from tocsin.glance import Glance
from tocsin.local import Family, LocalEntry
from tocsin.proof import Proof

from tests.simulator.interleavings import Actor, Step, interleavings

OLD, NEW = 1 << 32, 2 << 32
NOW_S, LIVE_S, LAPSED_S = 10.0, 20.0, 5.0
SLOTS = 3
KEY = "k:product:1"
BASE, UNTRUE_SINCE = 5, 7
"""The worker's entry was known good at 5 of epoch OLD; the node has applied 6; invalidation 7 makes it untrue."""


def nothing() -> None:
    """The step of a scene in which nobody comes between."""


def nothing_beyond(*asked: object) -> None:
    """The proper read of a scene: a miss."""
    assert asked[0] == KEY


@dataclass
class Scene:
    """A node's table and one worker with one entry; `hits` collects what its reads concluded.

    `glances`: the worker takes the shortest way, and where that finds nothing it has a miss.
    """

    step: Step = nothing
    deadline_s: float = LIVE_S
    reader_class: type[Generations] = Generations
    keeper_class: type[Keeper] = Keeper
    words: list[int] = field(default_factory=lambda: [0] * (HEADER_WORDS + SLOTS))
    hits: list[bool] = field(default_factory=list)
    glances: bool = False
    actors: list[Actor] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory = Memory(SteppedWords(self), SteppedMoments(self), SLOTS)
        self.reader = self.reader_class(self.memory)
        self.words[EPOCH], self.words[APPLIED], self.words[CHANGE] = OLD, UNTRUE_SINCE - 1, 1
        self.stamp = LocalEntry(
            value=b"old",
            version=1,
            family=Family((), None),
            physical=KEY,
            loaded_s=0.0,
            expires_s=LIVE_S,
            epoch=OLD,
            base=BASE,
            slots=self.reader.slots([KEY]),
        )
        self.glance = Glance(
            {KEY: self.stamp},
            prover=self,
            now=lambda: NOW_S,
            tell=lambda _: None,
            beyond=nothing_beyond,
        )
        self.glance.renew(self.reader)

    def keeper(self) -> Keeper:
        """Return an agent that has just started."""
        return self.keeper_class(self.memory)

    def proved(self) -> "Scene":
        """Let the entry have been proved before the scene begins, so that the next read takes the fast path."""
        self.stamp.proof = Proof(self.words[CHANGE], self.words[APPLIED], self.deadline_s)
        return self

    def read(self) -> None:
        """Ask as a worker does when it finds the entry in L1."""
        if self.glances:
            self.hits.append(self.glance.get(KEY) is not None)
        else:
            self.hits.append(self.proves(self.stamp, NOW_S) is not None)

    def proves(self, entry: LocalEntry, now_s: float) -> Generations | None:
        """Return the worker's view of the table if it proves the entry; see `tocsin.glance.Prover`."""
        return None if self.reader.doubt(entry, now_s) else self.reader


@dataclass
class SteppedWords:
    """A scene's words."""

    scene: Scene

    def __getitem__(self, index: int) -> int:
        """Load one word."""
        self.scene.step()
        return self.scene.words[index]

    def __setitem__(self, index: int, value: int) -> None:
        """Store one word."""
        self.scene.step()
        self.scene.words[index] = value


@dataclass
class SteppedMoments:
    """A scene's deadline."""

    scene: Scene

    def __getitem__(self, index: int) -> float:
        """Load the deadline."""
        assert index == DEADLINE
        self.scene.step()
        return self.scene.deadline_s

    def __setitem__(self, index: int, value: float) -> None:
        """Store the deadline."""
        assert index == DEADLINE
        self.scene.step()
        self.scene.deadline_s = value


def every_outcome(make: Callable[[Step], Scene], agent: Callable[[Scene], None]) -> list[Scene]:
    """Let a worker read once (or the scene's actors act) beside the agent, in every interleaving; return each scene."""
    scenes: list[Scene] = []

    def scene(step: Step) -> list[Actor]:
        there = make(step)
        scenes.append(there)
        return [*(there.actors or [there.read]), lambda: agent(there)]

    trails = list(interleavings(scene))
    assert len(trails) > 20, "a search of so few orders proves nothing"
    return scenes
