"""Local: L1, the level inside one worker; bounded in bytes, evicting what was least recently used.

    reader ──get──▶ OrderedDict: key ▶ LocalEntry(value, address, expires) ◀──put, drop── reader, writer, listener

One key has one place, whatever address its entry was kept under: a newer version of a versioned key replaces the older
one instead of lying beside it until it expires.

What always holds: the bytes accounted for never exceed the bound; `get` never returns an entry past its expiry; `drop`
of a key costs the same however many entries there are, while `drop` of a tag or a namespace looks at every entry,
as caches that are taught in tutorials do.

`get` takes no lock. It makes two calls into the dictionary, each one uninterruptible step under the interpreter's lock
as keys are plain strings, and the value of an entry never changes, so a reader sees a whole entry or none. Writers take
the lock, because the byte count and the dictionary must change together.
"""

from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

from tocsin.clock import Clock
from tocsin.entry import Miss
from tocsin.generation import Stamp
from tocsin.names import Names

ENTRY_OVERHEAD_BYTES = 320
"""What an entry costs beyond its texts: 226 for slot, node, fields and numbers (measured), the rest for the headers of
its key and value.
"""

ABSENT = Miss("uri-miss")
EXPIRED = Miss("stale", "expired")


class LocalEntry(Stamp, kw_only=True, gc=False):
    """An entry kept in L1: the value, the address it was found under, and two moments on this process's clock.

    Nothing of these changes. Its stamp, where the strategy has one, remembers the last proof.
    """

    value: bytes | None
    version: int
    tags: tuple[str, ...]
    physical: str
    namespace: str | None
    namespace_version: int | None
    loaded_s: float
    expires_s: float


class Levels(Struct, frozen=True):
    """How full L1 is."""

    entries: int
    bytes: int


class Local:
    """L1 of one worker."""

    def __init__(self, *, max_bytes: int, clock: Clock) -> None:
        self._max_bytes = max_bytes
        self._clock = clock
        self.renew()

    def renew(self) -> None:
        """Begin anew, empty and with a new lock.

        For the child of a fork: nothing invalidated the copies that it inherited, and a lock that another thread of
        the parent held at that moment is never released here (hazard 34).
        """
        self._lock = self._clock.lock()
        self._entries: OrderedDict[str, LocalEntry] = OrderedDict()
        self._bytes = 0

    def get(self, key: str, now_s: float) -> LocalEntry | Miss:
        """Return the entry of `key` and mark it as used, or say why there is none."""
        entry = self._entries.get(key)
        if entry is None:
            return ABSENT
        if now_s >= entry.expires_s:
            return EXPIRED
        try:  # noqa: SIM105  # suppress() would double the cost of a hit
            self._entries.move_to_end(key)
        except KeyError:
            pass  # dropped between the two steps; what was read a moment ago was valid a moment ago
        return entry

    def finder(self) -> tuple[Callable[[str], LocalEntry | None], Callable[[str], None]]:
        """Return how to find an entry, expired or not, and how to mark it as used (`KeyError` if it is gone).

        Two bound methods of the dictionary itself, for who can't afford another call; good until `renew`.
        """
        return self._entries.get, self._entries.move_to_end

    def kept(self, key: str) -> LocalEntry | None:
        """Return the entry of `key`, also one past its expiry, for those who may show a stale one."""
        return self._entries.get(key)

    def put(self, key: str, entry: LocalEntry) -> bool:
        """Keep `entry` as the most recently used; return whether it fits the bound at all."""
        cost = _cost_bytes(key, entry)
        with self._lock:
            self._remove(key)
            if cost > self._max_bytes:
                return False
            while self._bytes + cost > self._max_bytes:
                self._remove(next(iter(self._entries)))
            self._entries[key] = entry
            self._bytes += cost
        return True

    def drop(self, names: Names) -> None:
        """Remove the entries of the keys, and every entry that carries one of the tags or namespaces; or all."""
        with self._lock:
            if names.everything:
                # In place: readers hold this very dictionary's methods (`finder`).
                self._entries.clear()
                self._bytes = 0
                return
            for key in names.keys:
                self._remove(key)
            if names.tags or names.namespaces:
                for key in [key for key, entry in self._entries.items() if _concerns(names, entry)]:
                    self._remove(key)

    def levels(self) -> Levels:
        """Return the number of entries and their bytes; expired ones count until they are replaced or evicted."""
        return Levels(entries=len(self._entries), bytes=self._bytes)

    def _remove(self, key: str) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._bytes -= _cost_bytes(key, entry)


def _concerns(names: Names, entry: LocalEntry) -> bool:
    return entry.namespace in names.namespaces or any(tag in names.tags for tag in entry.tags)


def _cost_bytes(key: str, entry: LocalEntry) -> int:
    texts = len(key) + len(entry.physical) + sum(map(len, entry.tags))
    return ENTRY_OVERHEAD_BYTES + texts + len(entry.value or b"")
