"""Sink: the port to what an agent keeps true: a node's generation table, an edge's dictionary, another cache.

    log ──▶ Follower ──▶ take_over · apply(sequence, names) · flush(position) · renew(deadline) · suspend ──▶ Sink

A sink holds marks (which name was invalidated last, and when), a position up to which it holds all of them, and a
lease: until when whoever serves by those marks may believe them. What always holds, in every sink:

- Marks before position: `apply` returns when both are in force, and a reader that sees the position sees the marks.
- The deadline is on the clock of the follower (CLOCK_BOOTTIME, `tocsin.clock`), never on a wall clock. A sink that is
  read by somebody with another clock translates it so that the lease ends no later there (`tocsin.edge.sink` does).
- Doubt ends the lease. A sink that can't tell whether a call took effect raises `SinkLost`; it is then asked anew,
  with `take_over`, before anything else, and answers only for what it can prove that it still holds.
- One follower at a time. Sinks in other processes fence out the calls of an earlier one.
"""

from collections.abc import Iterable
from typing import Protocol

from tocsin.errors import TocsinError
from tocsin.position import Position


class SinkLost(TocsinError):  # noqa: N818  # read as "raise SinkLost"
    """The sink can't be reached, was replaced, or lost what it held; the message says which, and where it is."""


class Sink(Protocol):
    """The port. Every method may raise `SinkLost`; a table in memory never does."""

    def take_over(self) -> Position:
        """End the lease, and return the position that the sink provably holds: (0, 0) for one that holds nothing."""

    def suspend(self) -> None:
        """End the lease: something may have been missed."""

    def renew(self, deadline_s: float) -> None:
        """Prolong the lease until `deadline_s`; an earlier deadline than the present one changes nothing."""

    def apply(self, sequence: int, names: Iterable[str]) -> None:
        """Mark `names` (of `tocsin.message`) as invalidated at `sequence`, and take that as the position.

        It follows the one before without a gap: the follower sees to that.
        """

    def flush(self, position: Position) -> None:
        """Take everything as invalidated at `position`, and that as the position; the lease is over until renewed."""
