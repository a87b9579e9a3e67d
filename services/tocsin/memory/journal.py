"""Journal: write-behind in memory, with the same contract as the one in Redis."""

from collections.abc import Sequence

from tocsin.entry import Loaded
from tocsin.invalidation import Invalidation
from tocsin.journal import Accepted, Behind, Operation, Outcome, Outdated, Replayed, Reused
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.memory.store import Dirty
from tocsin.names import Names


class MemoryJournal:
    """One node's way to the journal; it is cut when the shared level's is."""

    def __init__(self, shared: MemorySharedLevel, *, tells: bool) -> None:
        self._shared = shared
        self._tells = tells

    def write(self, behind: Behind, invalidation: Invalidation) -> Outcome:
        """Pin, append, invalidate and tell, in one step."""
        store = self._shared.reach()
        idempotency = behind.idempotency
        if idempotency is not None and idempotency.key in store.answered:
            fingerprint, version, loaded = store.answered[idempotency.key]
            return Replayed(version, loaded.value) if fingerprint == idempotency.fingerprint else Reused()
        dirty = store.dirty.get(behind.key)
        current = max(0 if dirty is None else dirty.version, behind.row_version)
        if behind.expected_version is not None and behind.expected_version != current:
            return Outdated(current)
        version, pinned = current + 1, Loaded(behind.value, 0, behind.tags)
        store.dirty[behind.key] = Dirty(version, pinned)
        store.changed(Names(keys=(behind.key,)))
        position = str(store.position())
        store.journal.append(Operation(position, behind.key, version, behind.operation, behind.names))
        if idempotency is not None:
            store.answered[idempotency.key] = (idempotency.fingerprint, version, pinned)
        store.invalidate(invalidation, tells=self._tells)
        return Accepted(version)

    def pending(self, limit: int) -> Sequence[Operation]:
        """Return the oldest operations."""
        return self._shared.reach().journal[:limit]

    def drained(self, operation: Operation, invalidation: Invalidation) -> None:
        """Remove, unpin if still of this version, invalidate and tell, in one step."""
        store = self._shared.reach()
        store.journal = [each for each in store.journal if each.position != operation.position]
        dirty = store.dirty.get(operation.key)
        if dirty is not None and dirty.version == operation.version:
            dirty.pinned = None
            store.changed(Names(keys=(operation.key,)))
        store.invalidate(invalidation, tells=self._tells)

    def waiting(self) -> int:
        """Return how many operations wait."""
        return len(self._shared.reach().journal)
