"""Observing: several observers as one, for whoever counts and traces."""

from collections.abc import Sequence

from tocsin.entry import Answer, Step
from tocsin.names import Names
from tocsin.observer import LoadOutcome, Observer, Spared


class Several:
    """Tells each observer what it is told."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = tuple(observers)

    def read(self, answer: Answer, seconds: float) -> None:
        """See `tocsin.observer.Observer`."""
        for each in self._observers:
            each.read(answer, seconds)

    def missed(self, steps: tuple[Step, ...]) -> None:
        """See `tocsin.observer.Observer`."""
        for each in self._observers:
            each.missed(steps)

    def loaded(self, source: str, seconds: float, outcome: LoadOutcome) -> None:
        """See `tocsin.observer.Observer`."""
        for each in self._observers:
            each.loaded(source, seconds, outcome)

    def spared(self, how: Spared) -> None:
        """See `tocsin.observer.Observer`."""
        for each in self._observers:
            each.spared(how)

    def glanced(self, hits: int) -> None:
        """See `tocsin.observer.Observer`."""
        for each in self._observers:
            each.glanced(hits)

    def invalidated(self, names: Names, source: str) -> None:
        """See `tocsin.observer.Observer`."""
        for each in self._observers:
            each.invalidated(names, source)

    def backplane(self, event: str) -> None:
        """See `tocsin.observer.Observer`."""
        for each in self._observers:
            each.backplane(event)
