"""Proof: what an entry of L1 brings to be proved by a generation table, and what it remembers of that.

    entry.proof ──▶ Proof(change, applied, until_s) ◀── shared by all entries that were proved at one state of the table

What always holds: an entry remembers a proof only after its own slots were compared at that state. So whoever finds
that the state has not changed, and that `until_s` has not come, has proved every one of them (`tocsin.generation`).
"""

from msgspec import Struct


class Proof:
    """What entries that were proved at one state of the table share: `change`, and the deadline of then.

    Each of them is true of everything up to the sequence `applied`. `until_s` grows when the lease is seen renewed
    while nothing has changed. `round` is the round of the table's reader in which it was made (`Generations.forget`).
    """

    __slots__ = ("applied", "change", "round", "until_s")

    def __init__(self, change: int = 0, applied: int = 0, until_s: float = 0.0, round: int = 0) -> None:
        self.change = change
        self.applied = applied
        self.until_s = until_s
        self.round = round


UNPROVED = Proof()
"""The proof of an entry that has none yet; no reader of a table ever holds it for the current one."""


class Stamp(Struct):
    """What an entry brings to its proof.

    `epoch` and `base` are those that the lookup returned, never the node's own: an answer may have come from an epoch
    that the node has not heard of yet, or be older than what it has applied (C4). `slots` are those of the entry's
    names. `proof` is the last one.
    """

    epoch: int = 0
    base: int = 0
    slots: tuple[int, ...] = ()
    proof: Proof = UNPROVED
