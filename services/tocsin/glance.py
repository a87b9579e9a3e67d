"""Glance: the shortest way to a hit in L1, which asks all that a read asks and builds no answer.

    key ─▶ entry ─▶ its proof holds: its moment has not come, nothing has changed in the table ─▶ value
             │         └─ else prove it anew ─▶ value
             └─ none, or no proof ─▶ `beyond`: a proper read

A hit is two loads from dictionaries and objects, one of the clock, one of shared memory, and no lock. It marks the
entry as used and counts itself. What always holds: whatever is not proved here is not a miss yet, but left to a proper
read, which finds out why; the counts lag behind by what was not yet told, at most until the next entry is proved.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from tocsin.generation import CHANGE, Generations, private_memory
from tocsin.local import LocalEntry

Beyond = Callable[[str, Any, Any, Any, Any, Any], Any]
"""A proper read: of a key, with the default, policy, watermark, `max_stale` and loader that `get` was given."""


class Prover(Protocol):
    """Who can prove an entry; see `tocsin.evidence`."""

    def proves(self, entry: LocalEntry, now_s: float) -> Generations | None:
        """Return the table by which `entry`, which has not expired, is proved now; None if it is not, or by none."""


HITS_TOLD = 200
"""So many hits are told at once. Python keeps integers up to 256 ready, and must make each that is larger."""

_NOBODYS = Generations(private_memory(1))


class Glance:
    """Looks at the entries of one L1."""

    __slots__ = ("_beyond", "_entries", "_hits", "_now", "_prover", "_tell", "_words")

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
        self._words = table.words
        self._hits = 0

    def get(
        self,
        key: str,
        default: Any = None,
        policy: Any = None,
        at_least: Any = None,
        max_stale: Any = None,
        load: Any = None,
    ) -> Any:
        """Return the value of a hit for a reader who demands nothing, else what `beyond` returns."""
        try:
            entry = self._entries[key]
        except KeyError:
            return self._beyond(key, default, policy, at_least, max_stale, load)
        # `doubt` of `tocsin.generation` without a call, and in its order: clock and deadline before the change.
        proof = entry.proof
        now = self._now
        now_s = now()
        if now_s < proof.until_s and self._words[CHANGE] == proof.change and at_least is None and max_stale is None:
            if not entry.used:
                entry.used = True
            # Two threads may count at once and one of them be lost: these numbers are for people.
            self._hits += 1
            if self._hits == HITS_TOLD:
                self._hits = 0
                self._tell(HITS_TOLD)
            return entry.value
        if at_least is None and max_stale is None and self._proves(entry, now_s):
            return entry.value
        return self._beyond(key, default, policy, at_least, max_stale, load)

    def _proves(self, entry: LocalEntry, now_s: float) -> bool:
        """Prove an entry anew, and count the hit; return False if it is none."""
        hits, self._hits = self._hits, 0
        table = None if now_s >= entry.expires_s else self._prover.proves(entry, now_s)
        if table is None:
            if hits:
                self._tell(hits)
            return False
        self._words = table.words
        self._tell(hits + 1)
        entry.used = True
        return True
