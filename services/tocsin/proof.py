"""Proof: what an entry of L1 brings to be proved by a generation table, and what it remembers of that.

    entry.proof ──▶ Proof(change, applied, until_s) ◀── shared by all entries that were proved at one state of the table

What always holds: an entry remembers a proof only after its own slots were compared at that state. So whoever finds
that the state has not changed, and that `until_s` has not come, has proved every one of them (`tocsin.generation`).
"""

import math

from msgspec import Struct

DEAD = -1
"""The change of a proof that proves nothing: no table ever has it."""


class Proof:
    """What entries that were proved at one state of the table share: its `change`, and until when that is enough.

    Each of them is true of everything up to the sequence `applied`. `until_s` is the deadline that was read then, or
    the end of the entry if that comes first, so that a hit compares one moment and not two. It dies (`change` becomes
    `DEAD`) when its reader is told to forget.
    """

    __slots__ = ("applied", "change", "until_s")

    def __init__(self, change: int = DEAD, applied: int = 0, until_s: float = 0.0) -> None:
        self.change = change
        self.applied = applied
        self.until_s = until_s


UNPROVED = Proof()
"""The proof of an entry that has none yet."""


class Stamp(Struct):
    """What an entry brings to its proof.

    `epoch` and `base` are those that the lookup returned, never the node's own: an answer may have come from an epoch
    that the node has not heard of yet, or be older than what it has applied (C4). `slots` are those of the entry's
    names, which it shares with others; that of its own key, `physical`, is computed when it is asked for ('': it has
    none). After `expires_s`, on this process's clock, nothing proves it. `proof` is the last one.
    """

    epoch: int = 0
    base: int = 0
    slots: tuple[int, ...] = ()
    physical: str = ""
    expires_s: float = math.inf
    proof: Proof = UNPROVED
