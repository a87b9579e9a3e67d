"""Refuse: the port is closed, so that a connection is refused at once: a server that is not there.

Established connections are torn: with the port closed but its old connections alive, nothing would be cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster.link.faults.whole import PassOn

if TYPE_CHECKING:
    from cluster.link.connection import Pipe
    from cluster.link.faults.fault import Carrier


@dataclass(frozen=True, slots=True)
class Refuse:
    """Don't listen; established connections are torn at once."""

    name: str = "refuse"
    listens: bool = False
    dials: bool = False
    one_way: bool = False

    def carrier(self, pipe: Pipe) -> Carrier:
        """Tears the connection: established before, or accepted in the instant in which the port was closed."""
        pipe.connection.reset()
        return PassOn(pipe)
