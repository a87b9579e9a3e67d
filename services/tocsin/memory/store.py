"""Store: what Redis holds, as plain dictionaries that the shared levels of several nodes work on.

What always holds: each method is one atomic step, as each script is in Redis. Time comes from a clock that a test may
move. A counter never takes a value that any counter ever had, also after `lose_everything`: the stand-in for a server
whose time has moved on.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tocsin.clock import Clock
from tocsin.entry import Entry, Loaded
from tocsin.glob import matches
from tocsin.invalidation import Invalidation, keys_of
from tocsin.journal import Operation
from tocsin.names import Names


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry with its whole time to live, and when it ends."""

    loaded: Loaded
    ttl_s: float
    expires_s: float


@dataclass(slots=True)
class Dirty:
    """The newest version given by write-behind, and its value while it is pinned."""

    version: int
    pinned: Loaded | None


class MemoryStore:
    """The state of one namespace; `telling` are called with the names of each invalidation that is told.

    `changing` are called with the keys of entries that are set or removed, as Redis does for clients that it tracks
    for; what expires is not told here, as nobody looks for it.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.telling: list[Callable[[Names], None]] = []
        self.changing: list[Callable[[Names], None]] = []
        self._never_used = 1
        self._position = 0
        self.lose_everything()

    def lose_everything(self) -> None:
        """Become empty, as after FLUSHALL or a restart without persistence."""
        self._entries: dict[str, Kept] = {}
        self._counters: dict[str, int] = {}
        self._files: dict[str, set[tuple[str, str]]] = {}
        self.locks: dict[str, tuple[str, float]] = {}
        self.dirty: dict[str, Dirty] = {}
        self.journal: list[Operation] = []
        self.answered: dict[str, tuple[str, int, Loaded]] = {}
        self.changed(Names(everything=True))

    def position(self) -> int:
        """Return the next position of the journal."""
        self._position += 1
        return self._position

    def version(self, counter: str) -> int:
        """Return a counter's value; a missing one begins at a number never used."""
        if counter not in self._counters:
            self._counters[counter] = self._never_used
            self._never_used += 1
        return self._counters[counter]

    def bump(self, counter: str) -> int:
        """Raise a counter and return its new value."""
        self._counters[counter] = self.version(counter) + 1
        self._never_used = max(self._never_used, self._counters[counter] + 1)
        return self._counters[counter]

    def entry(self, physical: str) -> Entry | None:
        """Return the entry at a physical key, or None if there is none that is alive."""
        kept = self._entries.get(physical)
        left_s = 0.0 if kept is None else kept.expires_s - self.clock.now()
        if kept is None or left_s <= 0:
            return None
        loaded = kept.loaded
        return Entry(loaded.value, loaded.version, loaded.tags, left_s, kept.ttl_s - left_s, loaded.load_s)

    def keep(self, physical: str, counter: str, filed: Iterable[str], loaded: Loaded, ttl_s: float) -> None:
        """Keep an entry and file it."""
        self._entries[physical] = Kept(loaded, ttl_s, self.clock.now() + ttl_s)
        for name in filed:
            self._files.setdefault(name, set()).add((physical, counter))
        self.changed(Names(keys=keys_of(physical)))

    def evict(self, physical: str) -> None:
        """Remove an entry as a full Redis would: from under everybody, told to nobody but those who track."""
        if self._entries.pop(physical, None) is not None:
            self.changed(Names(keys=keys_of(physical)))

    def invalidate(self, invalidation: Invalidation, *, tells: bool) -> None:
        """Apply an invalidation, and tell it if asked to."""
        for key in invalidation.delete:
            self.evict(key)
        for name in invalidation.filed:
            for physical, counter in self._files.pop(name, ()):
                self.evict(physical)
                if counter:
                    self.bump(counter)
        for pattern in invalidation.search:
            for physical in [each for each in self._entries if any(matches(pattern, key) for key in keys_of(each))]:
                self.evict(physical)
        for counter in invalidation.bump:
            self.bump(counter)
        if tells:
            for tell in self.telling:
                tell(invalidation.names)

    def changed(self, names: Names) -> None:
        """Tell those who track."""
        for change in self.changing:
            change(names)
