"""Observer: the port through which metrics and logs watch the cache.

What always holds: an observer is called after the fact, on the thread where the fact happened, and must neither block
nor raise. The core counts nothing itself.
"""

# ruff: noqa: ARG002  # a method takes what its port says, whether or not this adapter needs it

from typing import Protocol

from tocsin.entry import Answer, Layer
from tocsin.names import Names


class Observer(Protocol):
    """The port."""

    def read(self, answer: Answer, seconds: float) -> None:
        """A read was answered in `seconds`."""

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
