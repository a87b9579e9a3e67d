"""Observer: the port through which metrics and logs watch the cache.

    read, missed, glanced    who answered, and for each level passed why it did not (`Step.cause`)
    loaded                   a load was tried: how long it took, and what became of it
    spared                   a load that a stampede would have made, and did not
    invalidated, backplane   names that were forgotten here; the listener's ups and downs

What always holds: an observer is called after the fact, on the thread where the fact happened, and must neither block
nor raise. All words it is given (`cause`, `outcome`, `how`, `source` of an invalidation, `event`) are of small fixed
vocabularies, so that they can label metrics; sources of loads are as many as the application names. The core counts
nothing itself.
"""

# ruff: noqa: ARG002  # a method takes what its port says, whether or not this adapter needs it

import enum
from typing import Protocol

from tocsin.entry import Answer, Layer, Step
from tocsin.names import Names


class LoadOutcome(enum.Enum):
    """What became of a load that was to begin."""

    LOADED = "loaded"
    FAILED = "failed"  # the loader raised
    CROWDED = "crowded"  # refused: too many loads were under way, and none ended in time
    BROKEN = "broken"  # refused: the last loads from this source failed, and it is left alone


class Spared(enum.Enum):
    """Why a read that would have loaded did not: a stampede avoided."""

    JOINED = "joined"  # it took the load of another thread of this process
    WAITED = "waited"  # it waited for the fill of another process
    OLD = "old"  # it was given the value that another is about to replace
    STALE = "stale"  # it was given an expired value, labelled, as its policy allows


class Observer(Protocol):
    """The port."""

    def read(self, answer: Answer, seconds: float) -> None:
        """A read was answered in `seconds`; `answer.steps` say for each level passed why it did not answer."""

    def missed(self, steps: tuple[Step, ...]) -> None:
        """A look without a loader (`get`) found nothing in these levels, which say why."""

    def loaded(self, source: str, seconds: float, outcome: LoadOutcome) -> None:
        """A load from `source` (`Policy.source`) ended, or was refused, after `seconds`, waiting included.

        Loads that refresh an entry before its end are loads like all others.
        """

    def spared(self, how: Spared) -> None:
        """A read did without a load of its own."""

    def glanced(self, hits: int) -> None:
        """So many hits of L1 were answered by the shortest way, without an `Answer`, since the last call."""

    def invalidated(self, names: Names, source: str) -> None:
        """Names were invalidated here; `source` is `write`, `call`, `relay`, `drain` or `backplane`."""

    def backplane(self, event: str) -> None:
        """The listener changed its state: `subscribed`, `lost`, `canary-lost`, `failed`, `undecodable`."""


class Unobserved:
    """The observer of those who watch nothing."""

    def read(self, answer: Answer, seconds: float) -> None:
        """Do nothing."""

    def missed(self, steps: tuple[Step, ...]) -> None:
        """Do nothing."""

    def loaded(self, source: str, seconds: float, outcome: LoadOutcome) -> None:
        """Do nothing."""

    def spared(self, how: Spared) -> None:
        """Do nothing."""

    def glanced(self, hits: int) -> None:
        """Do nothing."""

    def invalidated(self, names: Names, source: str) -> None:
        """Do nothing."""

    def backplane(self, event: str) -> None:
        """Do nothing."""


class Tally(Unobserved):
    """Counts reads by the layer that answered, and those that took another thread's load."""

    def __init__(self) -> None:
        self._by_layer = dict.fromkeys(Layer, 0)
        self._joined = 0

    def read(self, answer: Answer, seconds: float) -> None:
        """Count one read. Two threads may count at once and one of them be lost: these numbers are for people."""
        self._by_layer[answer.layer] += 1
        self._joined += answer.joined

    def glanced(self, hits: int) -> None:
        """Count hits of L1 that took the shortest way."""
        self._by_layer[Layer.L1] += hits

    def counts(self) -> dict[str, int]:
        """Return `{"l1": …, "l2": …, "database": …, "joined": …}`."""
        return {layer.value: count for layer, count in self._by_layer.items()} | {"joined": self._joined}
