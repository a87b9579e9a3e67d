"""The port of a fault: what it does to connections, and to the bytes of one direction of one of them.

    Fault (frozen: which, with what parameters; shared by all connections of a link)
      └── carrier(pipe) ─▶ Carrier (one direction of one connection; may keep state: a queue, a parser)

Every pipe always has a carrier; on a healthy link it is the one that passes everything. So putting a fault on and
taking it off never changes the plumbing, and an established connection suffers as a new one does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from cluster.link.connection import Pipe


class Carrier(Protocol):
    """What becomes of the things that one end sends: bytes, an orderly end (FIN), a break (RST).

    Called from the event loop, one call at a time, in the order of arrival; never blocks. A carrier that holds bytes
    back delivers them later, in its own order, through `pipe.deliver`.
    """

    def chunk(self, data: bytes) -> None:
        """Bytes arrived; as many as the kernel had, cut anywhere."""
        ...

    def end(self) -> None:
        """The sender will send no more, but may still listen."""
        ...

    def broke(self) -> None:
        """The sender's side of the connection is gone."""
        ...

    def heal(self) -> None:
        """The fault is being lifted: this carrier gets nothing more. The pipe has its successor already."""
        ...


class Fault(Protocol):
    """A fault with its parameters. A frozen value: a link holds one per direction."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in `status`."""
        ...

    @property
    def listens(self) -> bool:
        """Whether the link's port is open while this is in force; a connection to a closed port is refused."""
        ...

    @property
    def dials(self) -> bool:
        """Whether a connection accepted while this is in force upstream reaches the server at all."""
        ...

    @property
    def one_way(self) -> bool:
        """Whether it can act on one direction alone; what breaks connections can't."""
        ...

    def carrier(self, pipe: Pipe) -> Carrier:
        """The carrier for one pipe: called for every open connection when the fault begins, and for every new one."""
        ...
