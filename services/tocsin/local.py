"""Local: L1, the level inside one worker; bounded in bytes, evicting what is asked for least.

    reader ──get──▶ dict: key ▶ LocalEntry(value, address, expires, used) ◀──put, drop── reader, writer, listener

    a new key ─▶ small queue, a part ──▶ not used in it: evicted, its ghost remembered
                     │ used                             └─ comes back soon ─┐
                     └────▶ main queue ◀────────────────────────────────────┘
                              │ used since: once more round │ else evicted

The queues are those of S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023), with one
bit for "used" instead of two: what is asked for once, a crawler's walk over everything, passes through the small queue
and leaves the rest alone. On the traces of tests/tocsin/test_eviction.py it hits more than LRU does, and a hit stores
one bit, and only the first time, where LRU moves a node of a list.

One key has one place, whatever address its entry was kept under: a newer version of a versioned key replaces the older
one instead of lying beside it until it expires.

What always holds: the bytes accounted for never exceed the bound; `get` never returns an entry past its expiry; `drop`
of a key costs the same however many entries there are, while `drop` of a tag or a namespace looks at every entry,
as caches that are taught in tutorials do.

`get` takes no lock. It makes one call into the dictionary, one uninterruptible step under the interpreter's lock as
keys are plain strings, and the value of an entry never changes, so a reader sees a whole entry or none. Writers take
the lock, because the byte count, the queues and the dictionary must change together.
"""

from collections import deque

from msgspec import Struct

from tocsin.clock import Clock
from tocsin.entry import Miss
from tocsin.ghosts import Ghosts
from tocsin.glob import matches
from tocsin.names import Names
from tocsin.proof import Stamp

ENTRY_OVERHEAD_BYTES = 320
"""What an entry costs beyond its texts, rounded up from what `bench.memory` measures: entry, numbers, queue and
dictionary about 210, the headers of key and value 80.
"""

SMALL_SHARE = 0.15
"""How much of the bytes the small queue has. With the paper's 0.1 an LRU was better by 0.1 % where popularity moves on
quickly; with 0.15 it is nowhere, and everything else costs 1 % of the hits at most (tests/tocsin/test_eviction.py).
"""
SEATS_SPARE = 64

ABSENT = Miss("uri-miss")
EXPIRED = Miss("stale", "expired")
EVICTED = Miss("uri-miss", "evicted")
DROPPED = Miss("uri-miss", "invalidated")
"""Evicted and dropped are remembered by checksum, for a while: which of the two came last is not. For people."""


class Family(Struct, frozen=True):
    """What an entry has in common with others, which share this object: a fifth of what each would take alone."""

    tags: tuple[str, ...] = ()
    namespace: str | None = None
    namespace_version: int | None = None


class LocalEntry(Stamp, kw_only=True, gc=False):
    """An entry kept in L1: the value, the address it was found under, and two moments on this process's clock.

    Nothing of these changes. Its stamp, where the strategy has one, remembers the last proof; `used`, that somebody
    asked for it since its queue last looked; `main`, in which queue it stands.
    """

    value: bytes | None
    version: int
    family: Family
    loaded_s: float
    used: bool = False
    main: bool = False


class Levels(Struct, frozen=True):
    """How full L1 is."""

    entries: int
    bytes: int


class Local:
    """L1 of one worker. `entries` is for `tocsin.glance`, which reads it as `get` does."""

    def __init__(self, *, max_bytes: int, clock: Clock) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self.entries: dict[str, LocalEntry] = {}
        self.renew()

    def renew(self) -> None:
        """Begin anew, empty and with a new lock.

        For the child of a fork: nothing invalidated the copies that it inherited, and a lock that another thread of
        the parent held at that moment is never released here (hazard 34).
        """
        self._lock = self._clock.lock()
        self._empty()

    def get(self, key: str, now_s: float) -> LocalEntry | Miss:
        """Return the entry of `key` and mark it as used, or say why there is none."""
        entry = self.entries.get(key)
        if entry is None:
            if self._dropped.knows(key):
                return DROPPED
            return EVICTED if self._ghosts.knows(key) else ABSENT
        if now_s >= entry.expires_s:
            return EXPIRED
        if not entry.used:
            entry.used = True
        return entry

    def kept(self, key: str) -> LocalEntry | None:
        """Return the entry of `key`, also one past its expiry, for those who may show a stale one."""
        return self.entries.get(key)

    def put(self, key: str, entry: LocalEntry) -> bool:
        """Keep `entry`; return whether it fits the bound at all."""
        cost = _cost_bytes(key, entry)
        with self._lock:
            if cost > self._max_bytes:
                self._remove(key)
                return False
            before = self.entries.get(key)
            if before is None:
                self._make_room(cost)
                entry.main = self._ghosts.brief(key)
                (self._main if entry.main else self._small).append(key)
                self._account(entry, cost)
                self.entries[key] = entry
            else:
                # Somebody asked for it again; it keeps its place.
                entry.used, entry.main = True, before.main
                self._account(before, -_cost_bytes(key, before))
                self._account(entry, cost)
                self.entries[key] = entry
                self._make_room(0, key)
        return True

    def drop(self, names: Names) -> None:
        """Remove the entries of the keys, and every entry that carries a tag or namespace or fits a pattern; or all."""
        with self._lock:
            if names.everything:
                self._empty()
                return
            for key in names.keys:
                self._drop(key)
            if names.tags or names.namespaces or names.patterns:
                for key in [key for key, entry in self.entries.items() if _concerns(names, key, entry)]:
                    self._drop(key)
            if len(self._small) + len(self._main) > 2 * len(self.entries) + SEATS_SPARE:
                self._tidy()

    def levels(self) -> Levels:
        """Return the number of entries and their bytes; expired ones count until they are replaced or evicted."""
        return Levels(entries=len(self.entries), bytes=self._bytes)

    def _empty(self) -> None:
        self.entries.clear()  # in place: readers hold this very dictionary
        self._bytes = self._small_bytes = 0
        # Keys in the order in which they came. A key that was dropped keeps its seat until its turn (`_take_turn`).
        self._small: deque[str] = deque()
        self._main: deque[str] = deque()
        self._ghosts = Ghosts()
        self._dropped = Ghosts()

    def _make_room(self, cost: int, staying: str | None = None) -> None:
        if self._bytes + cost > self._max_bytes:
            self._ghosts.grow(len(self.entries))
            while self._bytes + cost > self._max_bytes:
                self._take_turn(staying)

    def _take_turn(self, staying: str | None) -> None:
        """Look at the oldest of a queue: let it stay if it was used, else evict it. A turn clears a bit or a seat."""
        small = bool(self._small) and (self._small_bytes >= SMALL_SHARE * self._max_bytes or not self._main)
        key = (self._small if small else self._main).popleft()
        entry = self.entries.get(key)
        if entry is None or entry.main is small:
            return  # the seat of one that was dropped, or dropped and kept again elsewhere
        if entry.used or key == staying:
            entry.used = False
            if small:
                cost = _cost_bytes(key, entry)
                self._account(entry, -cost)
                entry.main = True
                self._account(entry, cost)
            self._main.append(key)
        else:
            self._remove(key)
            self._ghosts.remember(key, lasted=not small)

    def _drop(self, key: str) -> None:
        if key in self.entries:
            self._dropped.remember(key, lasted=False)
            self._remove(key)

    def _remove(self, key: str) -> None:
        entry = self.entries.pop(key, None)
        if entry is not None:
            self._account(entry, -_cost_bytes(key, entry))

    def _account(self, entry: LocalEntry, cost: int) -> None:
        self._bytes += cost
        if not entry.main:
            self._small_bytes += cost

    def _tidy(self) -> None:
        """Take away the seats of keys that were dropped, and second seats of one key."""
        for main, queue in ((False, self._small), (True, self._main)):
            seated = [key for key in dict.fromkeys(queue) if (held := self.entries.get(key)) and held.main is main]
            queue.clear()
            queue.extend(seated)


def _concerns(names: Names, key: str, entry: LocalEntry) -> bool:
    return (
        entry.family.namespace in names.namespaces
        or any(tag in names.tags for tag in entry.family.tags)
        or any(matches(pattern, key) for pattern in names.patterns)
    )


def _cost_bytes(key: str, entry: LocalEntry) -> int:
    texts = len(key) + len(entry.physical) + sum(map(len, entry.family.tags))
    return ENTRY_OVERHEAD_BYTES + texts + len(entry.value or b"")
