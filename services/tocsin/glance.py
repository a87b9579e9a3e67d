"""Glance: the shortest way to a hit in L1, which asks all that a read asks and builds no answer.

    key ─▶ entry ─▶ its proof is the table's current one, lease and expiry lie ahead, nothing has changed ─▶ value
             │                                └─ else prove it anew ─▶ value
             └─ none, or no proof ─▶ `beyond`: a proper read

A hit is two loads from dictionaries and objects, one of the clock, one of shared memory, and no lock. It marks the
entry as used and counts itself. What always holds: whatever is not proved here is not a miss yet, but left to a proper
read, which finds out why; the counts lag behind by what was not yet told, at most until the next entry is proved.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tocsin.generation import CHANGE, Generations, private_memory
from tocsin.local import LocalEntry

Beyond = Callable[[str, Any, Any], bytes | None]
"""A proper read of a key, with the loader (None: there is none) and the policy that `get` was given."""


class Prover(Protocol):
    """Who can prove an entry; see `tocsin.evidence`."""

    def proves(self, entry: LocalEntry, now_s: float) -> Generations | None:
        """Return the table by which `entry`, which has not expired, is proved now; None if it is not, or by none."""


_NOBODYS = Generations(private_memory(1))


class Glance:
    """Looks at the entries of one L1."""

    __slots__ = ("_beyond", "_entries", "_hits", "_now", "_prover", "_table", "_tell")

    def __init__(
        self,
        entries: Mapping[str, LocalEntry],
        *,
        prover: Prover,
        now: Callable[[], float],
        tell: Callable[[int], None],
        beyond: Beyond,
    ) -> None:
        self._entries = entries
        self._prover = prover
        self._now = now
        self._tell = tell
        self._beyond = beyond
        self.renew()

    def renew(self, table: Generations = _NOBODYS) -> None:
        """Begin anew in the child of a fork, whose L1 has been emptied."""
        self._table = table
        self._hits = 0

    def get(self, key: str, load: Any = None, policy: Any = None) -> bytes | None:
        """Return the value of a hit, else what `beyond` returns."""
        try:
            entry = self._entries[key]
        except KeyError:
            return self._beyond(key, load, policy)
        # `doubt` of `tocsin.generation` without a call, and in its order: clock and deadline before the change.
        table = self._table
        proof = table.proof
        now = self._now
        now_s = now()
        if (
            entry.proof is proof
            and now_s < proof.until_s
            and now_s < entry.expires_s
            and table.words[CHANGE] == proof.change
        ):
            if not entry.used:
                entry.used = True
            # Two threads may count at once and one of them be lost: these numbers are for people.
            self._hits += 1
            return entry.value
        return self._again(entry, now_s, key, load, policy)

    def _again(self, entry: LocalEntry, now_s: float, key: str, load: Any, policy: Any) -> bytes | None:
        """Prove the entry anew, or leave it to a proper read."""
        hits, self._hits = self._hits, 0
        table = None if now_s >= entry.expires_s else self._prover.proves(entry, now_s)
        if table is None:
            if hits:
                self._tell(hits)
            return self._beyond(key, load, policy)
        self._table = table
        self._tell(hits + 1)
        entry.used = True
        return entry.value
