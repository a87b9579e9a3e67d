"""Live counters of a running driver: for a progress line. What is judged is the history, never these."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Tally:
    """Counts since the start.

    `unsent`: requests that were due while too many were waiting. `stale`: reads that returned less than had been
    acknowledged before they began.
    """

    asked: int = 0
    answered: int = 0
    writes: int = 0
    stale: int = 0
    unsent: int = 0
    errors: Counter[str] = field(default_factory=Counter)

    @property
    def in_flight(self) -> int:
        """Requests that wait for an answer now."""
        return self.asked - self.answered - self.errors.total()
