"""Backplane: the port to the channel that carries invalidations from node to node.

    finish ── publish ──▶ Redis ──▶ listener of each worker ── hear(names) ──▶ L1

Publishing is part of `SharedLevel.finish`, so that a deletion can't happen without its message. This port is the
receiving half. What always holds: a backplane says of itself whether it hears, and believes it only of a canary, a
message of its own that came back through Redis (hazard 36); a connection without errors proves nothing (hazard 5).
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from tocsin.names import Names
from tocsin.position import Position

Hear = Callable[[Names], None]
"""What is called, on the listener's thread, with the names of each invalidation."""


class Hearing(Struct, frozen=True):
    """Whether invalidations arrive, and `detail` for a person who asks why not.

    Where invalidations are numbered, `position` is what the node has applied, and `lease_s` what is left of its lease.
    """

    hears: bool
    detail: str
    position: Position | None = None
    lease_s: float | None = None


class Backplane(Protocol):
    """The port."""

    def start(self, hear: Hear) -> None:
        """Begin to listen, in this process; twice is once."""

    def stop(self, within_s: float) -> None:
        """Stop listening, and wait for the listener to end, at most `within_s` seconds."""

    def renew(self) -> None:
        """Forget what was started, in the child of a fork: threads do not survive it."""

    def hearing(self) -> Hearing:
        """Return whether invalidations arrive."""


class Listener(Backplane, Protocol):
    """A backplane that each worker has for itself."""

    @property
    def heard_until_s(self) -> float:
        """The moment, on this process's clock, until which what was proved last may be relied on; in the past: deaf."""


class Silent:
    """The backplane of strategies that have none; there is nothing to miss, so it hears."""

    def __init__(self, strategy: str) -> None:
        self._hearing = Hearing(hears=True, detail=f"no backplane: {strategy}")

    def start(self, hear: Hear) -> None:
        """Do nothing."""

    def stop(self, within_s: float) -> None:
        """Do nothing."""

    def renew(self) -> None:
        """Do nothing."""

    def hearing(self) -> Hearing:
        """Return that there is nothing to hear."""
        return self._hearing
