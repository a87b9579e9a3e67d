"""Position: a place in the sequence of all invalidations, and so the watermark of a session.

    epoch 0000000a3c91f2e7 :  … 40   41   42 ◀─ a node has applied, an entry was known good, a session has seen

An epoch is the identity of one state of Redis, to which the sequences belong; a restart or a FLUSHALL begins another.
Epochs are ordered numbers of 64 bits: a counter, then chance, so that two that were made unaware of each other differ.

What always holds: sequences of two epochs are never compared. `later` decides by the epoch first: a session that went
from a node in the new epoch to one that is still in the old keeps the new.
"""

from msgspec import Struct

CHANCE_BITS = 32
EPOCH_DIGITS = 16


class Position(Struct, frozen=True, order=True):
    """The `sequence`-th invalidation of an `epoch`; 0 of epoch 0 is before all."""

    epoch: int = 0
    sequence: int = 0


PENDING = Position((1 << 64) - 1, 0)
"""Later than every position: what a session has seen that no sequence covers yet.

Its write is committed, and the others can't be told. With this as its watermark it is answered by the database alone.
"""


def later(one: Position, other: Position) -> Position:
    """Return the later of two positions: that of the newer epoch, and within an epoch that of the larger sequence."""
    return max(one, other)


def epoch_text(epoch: int) -> str:
    """Return an epoch as it is written in Redis and in messages: 16 hexadecimal digits, which order as it does."""
    return f"{epoch:0{EPOCH_DIGITS}x}"


def epoch_of(text: str | bytes) -> int:
    """Return the epoch that `epoch_text` wrote; raise `ValueError` for anything else."""
    if len(text) != EPOCH_DIGITS:
        raise ValueError(f"{text!r} is not an epoch: {EPOCH_DIGITS} hexadecimal digits are needed")
    return int(text, 16)


def epoch_made(counter: int, chance: int) -> int:
    """Return the epoch with this counter (at least 1) and these random bits."""
    assert counter >= 1
    assert 0 <= chance < 1 << CHANCE_BITS
    return counter << CHANCE_BITS | chance


def counter_of(epoch: int) -> int:
    """Return the ordering part of an epoch; 0 of no epoch."""
    return epoch >> CHANCE_BITS
