"""Ghosts: the keys that were evicted lately, four bytes each.

A key that comes back soon after it was evicted has been evicted too soon; and a miss on it is no cold one. A ghost is a
checksum in the cell that the checksum itself chooses, so a newer one takes an older one's place and nothing is ever
cleaned up. What always holds: remembering and asking cost the same however many there are; two keys with one checksum
can be taken for each other, which costs a place in the wrong queue (`tocsin.local`) or a wrong word in a statistic.
"""

import zlib
from array import array

CELLS_MIN = 1 << 10
_LASTED = 1
"""The bit that says that it had been asked for more than once. The others are checksum."""


class Ghosts:
    """Remembers about as many keys as L1 holds entries."""

    def __init__(self) -> None:
        self._cells = array("I", bytes(4 * CELLS_MIN))

    def remember(self, key: str, *, lasted: bool) -> None:
        """Note that `key` was evicted; `lasted` says that it had been asked for more than once."""
        ghost = _checksum(key)
        self._cells[ghost >> 1 & len(self._cells) - 1] = ghost | lasted

    def brief(self, key: str) -> bool:
        """Return whether `key` was evicted lately, before anybody had asked for it again."""
        ghost = _checksum(key)
        return self._cells[ghost >> 1 & len(self._cells) - 1] == ghost

    def knows(self, key: str) -> bool:
        """Return whether `key` was evicted lately."""
        ghost = _checksum(key)
        return self._cells[ghost >> 1 & len(self._cells) - 1] | _LASTED == ghost | _LASTED

    def grow(self, entries: int) -> None:
        """Have a cell for each of `entries` at least; all ghosts stay."""
        size = len(self._cells)
        if entries <= size:
            return
        while size < entries:
            size *= 2
        cells = array("I", bytes(4 * size))
        for ghost in filter(None, self._cells):
            cells[ghost >> 1 & size - 1] = ghost
        self._cells = cells


def _checksum(key: str) -> int:
    """Return a checksum that is not 0, the mark of an empty cell, and leaves the bit `_LASTED` free."""
    return (zlib.crc32(key.encode("utf-8", "surrogatepass")) | 1 << 31) & ~_LASTED
