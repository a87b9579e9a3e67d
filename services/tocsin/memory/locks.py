"""Locks in memory, on one store, with the same contract as those in Redis."""

from tocsin.memory.shared_level import MemorySharedLevel


class MemoryLocks:
    """One node's way to the locks; it is cut when the shared level's is."""

    def __init__(self, shared: MemorySharedLevel) -> None:
        self._shared = shared

    def take(self, name: str, owner: str, ttl_s: float) -> bool:
        """Take it if it is free, or over."""
        store = self._shared.reach()
        now_s = store.clock.now()
        held = store.locks.get(name)
        if held is not None and now_s < held[1]:
            return False
        store.locks[name] = (owner, now_s + ttl_s)
        return True

    def release(self, name: str, owner: str) -> bool:
        """Release it if it is the owner's and not over."""
        store = self._shared.reach()
        held = store.locks.get(name)
        if held is None or held[0] != owner or store.clock.now() >= held[1]:
            return False
        del store.locks[name]
        return True
