"""Shared level: L2 in memory, with the same contract as the one in Redis."""

# ruff: noqa: ARG002  # a method takes what its port says, whether or not this adapter needs it

from collections.abc import Sequence

from tocsin.address import Address
from tocsin.entry import Entry, Loaded, Miss
from tocsin.errors import Happened, Unavailable
from tocsin.invalidation import Invalidation, parent_counters, tag_file
from tocsin.memory.store import MemoryStore
from tocsin.shared import EARLY, NOT_ANNOUNCED, Announced, Filled, Finished, Hit, Load, Store


class MemorySharedLevel:
    """One node's way to the store. While it is `cut`, every request raises `Unavailable`."""

    def __init__(self, store: MemoryStore, *, tells: bool, consults_dirty: bool) -> None:
        self.cut = False
        self._store = store
        self._tells = tells
        self._consults_dirty = consults_dirty

    def reach(self) -> MemoryStore:
        """Return the store, or raise `Unavailable` while the way is cut."""
        if self.cut:
            raise Unavailable("the way to the store is cut", detail="redis-unreachable", happened=Happened.NO)
        return self._store

    def versions(self, counters: Sequence[str]) -> tuple[int, ...]:
        """Return the value of each counter."""
        return tuple(map(self.reach().version, counters))

    def bump(self, counter: str) -> int:
        """Raise a counter by one and return its new value."""
        return self.reach().bump(counter)

    def lookup(self, address: Address, early_s: float = 0.0) -> Hit | Load:
        """Return the dirty value, else the entry, else the permission to load."""
        found = self._peek(address)
        if isinstance(found, Hit):
            return found if found.entry.ttl_s > early_s else EARLY
        return Load(reason=found.reason, detail=found.detail)

    def fill(self, address: Address, load: Load, loaded: Loaded, ttl_s: float, stale_s: float = 0.0) -> Filled:
        """Keep what was loaded; these strategies know no reason to refuse."""
        filed = (*address.filed, *map(tag_file, loaded.tags))
        self.reach().keep(address.physical, address.counter, filed, loaded, ttl_s)
        return Filled(stored=True)

    def release(self, address: Address, load: Load) -> None:
        """Do nothing: a permission of these strategies binds nobody else."""

    def announce(self, invalidation: Invalidation) -> Announced:
        """Ask nothing of the store."""
        return Announced()

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Invalidate, keep what is not older than what is there, and tell."""
        store = self.reach()
        wanted = []
        for each in stores:
            before = store.entry(self._physical(each))
            if before is None or before.version <= each.loaded.version:
                wanted.append(each)
        store.invalidate(invalidation, tells=self._tells)
        for each in wanted:
            store.keep(self._physical(each), each.counter, each.filed, each.loaded, each.ttl_s)
        return Finished()

    def position(self) -> None:
        """Return None: these strategies number nothing."""

    def glimpse(self, addresses: Sequence[Address]) -> None:
        """Return None: these strategies have nothing to judge by but what a lookup finds."""

    def peek(self, addresses: Sequence[Address]) -> list[Hit | Miss]:
        """Return what lookups would find."""
        return list(map(self._peek, addresses))

    def _physical(self, store: Store) -> str:
        if not store.counter:
            return store.key
        versions = map(self.reach().version, (*parent_counters(store.key), store.counter))
        return f"{store.key}@{'.'.join(map(str, versions))}"

    def _peek(self, address: Address) -> Hit | Miss:
        store = self.reach()
        dirty = store.dirty.get(address.key) if self._consults_dirty else None
        if dirty is not None and dirty.pinned is not None:
            pinned = dirty.pinned
            entry = Entry(pinned.value, dirty.version, pinned.tags, ttl_s=float("inf"), age_s=0.0)
            return Hit(entry, dirty=True)
        found = store.entry(address.physical)
        return Miss("uri-miss") if found is None else Hit(found)

    def ping(self) -> None:
        """Return unless the way is cut."""
        self.reach()

    def renew(self) -> None:
        """Do nothing: there is no connection to forget."""

    def close(self) -> None:
        """Do nothing: there is no connection to close."""
