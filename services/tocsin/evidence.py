"""Evidence: what allows a value that this process holds to be used now.

L1 knows when an entry expires; whether it is still true is the strategy's business, and asked here. The same question
is asked before a thread takes the result of another thread's load, because a load that began before a write is, for
whoever came after the write, an old value like any other.

What always holds: an answer of "no" costs a lookup and never an error.
"""

# ruff: noqa: ARG002  # a method takes what its port says, whether or not this adapter needs it

from typing import Protocol

from tocsin.address import Address
from tocsin.local import LocalEntry
from tocsin.shared import Filled, Load


class Evidence(Protocol):
    """The port."""

    def doubt(self, entry: LocalEntry, address: Address) -> str:
        """Return why `entry` can't answer for `address` now, or '' if it can."""

    def admits(self, load: Load | None, filled: Filled) -> bool:
        """Return whether a value loaded under `load` (None: L2 could not be asked) may be kept and shared."""


class Expiry:
    """The strategies `ttl` and `pubsub`: an entry is believed until it expires or is dropped.

    Nobody notices here that a message was lost, or that a load was overtaken by a write: these are the strategies'
    known holes, and the entry's time to live is their only bound.
    """

    def doubt(self, entry: LocalEntry, address: Address) -> str:
        """Refuse what was kept under another version of its namespace."""
        return "" if entry.physical == address.physical else "version"

    def admits(self, load: Load | None, filled: Filled) -> bool:
        """Keep everything, also what was loaded while Redis was away."""
        return True


class Answered(Expiry):
    """Keep only what L2 was asked about before the load, and took.

    For the strategy `versioned`, whose tags reach an entry only through L2, and for write-behind, where a load may
    have missed a value that only L2 had.
    """

    def admits(self, load: Load | None, filled: Filled) -> bool:
        """Refuse what was loaded without an answer, or whose fill was refused or lost."""
        return load is not None and filled.stored
