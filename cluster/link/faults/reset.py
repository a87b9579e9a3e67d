"""Reset: connections are torn (RST), new ones as soon as they are accepted: a middlebox or a crashed peer's kernel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cluster.link.faults.whole import PassOn

if TYPE_CHECKING:
    from cluster.link.connection import Pipe
    from cluster.link.faults.fault import Carrier


@dataclass(frozen=True, slots=True)
class Reset:
    """Accept and tear; established connections are torn at once."""

    name: str = "reset"
    listens: bool = True
    dials: bool = False
    one_way: bool = False

    def carrier(self, pipe: Pipe) -> Carrier:
        """Tears the connection; nothing will be left to carry."""
        pipe.connection.reset()
        return PassOn(pipe)
