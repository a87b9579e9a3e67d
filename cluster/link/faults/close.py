"""Close: connections are ended in good order (FIN), new ones as soon as they are accepted: a server that shuts down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster.link.faults.whole import PassOn

if TYPE_CHECKING:
    from cluster.link.connection import Pipe
    from cluster.link.faults.fault import Carrier


@dataclass(frozen=True, slots=True)
class Close:
    """Accept and end; established connections are ended once what they had in flight is delivered."""

    name: str = "close"
    listens: bool = True
    dials: bool = False
    one_way: bool = False

    def carrier(self, pipe: Pipe) -> Carrier:
        """Ends the connection; nothing will be left to carry."""
        pipe.connection.close()
        return PassOn(pipe)
