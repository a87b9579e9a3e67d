"""No fault: everything passes. The carrier of a healthy link, and the one that others begin from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.link.connection import Pipe
    from cluster.link.faults.fault import Carrier


@dataclass(frozen=True, slots=True)
class Whole:
    """The link is whole."""

    name: str = "pass"
    listens: bool = True
    dials: bool = True
    one_way: bool = True

    def carrier(self, pipe: Pipe) -> Carrier:
        """A carrier that passes everything on."""
        return PassOn(pipe)


class PassOn:
    """Hands on whatever arrives, at once and in order."""

    __slots__ = ("pipe",)

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe

    def chunk(self, data: bytes) -> None:
        """Bytes go on as they came."""
        self.pipe.deliver(data)

    def end(self) -> None:
        """An orderly end goes on as one."""
        self.pipe.finish()

    def broke(self) -> None:
        """A break goes on as one, so that the other end notices what this end did."""
        self.pipe.connection.reset()

    def heal(self) -> None:
        """Nothing was withheld, so there is nothing to undo."""
