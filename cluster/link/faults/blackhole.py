"""Blackhole: a network that loses everything and tells nobody, as a dropped cable or a firewall does.

    node ── bytes ──▶ ▓▓▓▓         the node's connection stays open; it waits for an answer that does not come
    node ── connect ─▶ ✓  ▓▓▓▓     a new connection is taken, as TCP would retry for minutes, and leads nowhere

This is the fault that finds missing timeouts, and the one that leaves half-open connections behind: the server goes on
holding what the node has given up. Ends and breaks are swallowed as bytes are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.link.connection import Pipe
    from cluster.link.faults.fault import Carrier


@dataclass(frozen=True, slots=True)
class Blackhole:
    """Accept and swallow."""

    name: str = "blackhole"
    listens: bool = True
    dials: bool = False
    one_way: bool = True

    def carrier(self, pipe: Pipe) -> Carrier:
        """A carrier that swallows everything."""
        return Swallow(pipe)


class Swallow:
    """Counts what arrives, and delivers none of it."""

    __slots__ = ("lost", "pipe")

    def __init__(self, pipe: Pipe) -> None:
        self.pipe = pipe
        self.lost = False

    def chunk(self, data: bytes) -> None:
        """Bytes are counted: they are the evidence that the fault took effect."""
        self.lost = True
        self.pipe.swallow(data)

    def end(self) -> None:
        """The other end is not told; but where the server was never reached, nobody is left to be kept waiting."""
        self.lost = True
        if not self.pipe.connection.dialled:
            self.pipe.connection.reset()

    def broke(self) -> None:
        """The other end is not told."""
        self.end()

    def heal(self) -> None:
        """Break a connection that lost something, for both ends.

        TCP promises that a stream has no holes. If this connection went on,
            node:  GET a ▓▓▓▓   (heal)   GET b ──▶ redis answers b ──▶ node takes it for a
        so both ends must notice; a connection on which nothing was said may go on.
        """
        if self.lost or not self.pipe.connection.dialled:
            self.pipe.connection.reset()
