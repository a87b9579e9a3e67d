"""Sequenced state: what Redis holds of the sequenced protocol, and its steps, in this process's memory.

It is the second form of the scripts in `tocsin.redis.sequenced.lua`, kept like them by the contract suite; tests and
the simulator use it, because here a restart, a snapshot or an eviction is one call and time is an argument. What always
holds: a step belongs to a run of the server, and is not done when the state is of another (`LostError`).
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from tocsin.entry import Entry, Miss
from tocsin.invalidation import namespace_counter
from tocsin.memory.store import MemoryStore
from tocsin.message import EVERYTHING, Kind, Message, is_key, key_in, key_name, message_text, namespace_in
from tocsin.position import Position, counter_of, epoch_made
from tocsin.sequencer import Announcement, Busy, Ended, Given, Holder, Kept, Log, Permitted, Put, Terms, Token, Writing


class LostError(Exception):
    """The state is not whole, or not this run's: a new epoch has to begin. Nothing was done."""


class Stored(Struct, frozen=True):
    """An entry of L2: its value, the position of its load, and when it was stored."""

    put: Put
    base: Position
    stored_s: float


class Writers(Struct):
    """Who writes a name: id → (deadline, epoch), and the last sequence announced or finished."""

    ids: dict[str, tuple[float, int]]
    last: int = 0


class Tables(Struct):
    """All keys of a namespace: what a snapshot holds and FLUSHALL removes."""

    epoch: int = 0
    run: int = 0
    begun_s: float = 0.0
    sequence: int | None = None
    sentinel: int = 0
    marks: dict[str, int] = {}
    log: deque[Message] = deque()
    nodes: dict[str, Holder] = {}
    writers: dict[str, Writers] = {}
    entries: dict[str, Stored] = {}
    tokens: dict[str, tuple[Token, float]] = {}

    def copied(self) -> "Tables":
        """Return a copy that goes its own way; what is frozen is shared."""
        return replace(
            self,
            marks=dict(self.marks),
            log=deque(self.log),
            nodes=dict(self.nodes),
            writers={name: Writers(dict(writers.ids), writers.last) for name, writers in self.writers.items()},
            entries=dict(self.entries),
            tokens=dict(self.tokens),
        )


class MemoryServer:
    """A server of the protocol's state. Not locked: its caller does one step at a time.

    `plain` is where its write-behind values and the namespaces' versions are.
    """

    def __init__(self, *, now: Callable[[], float], terms: Terms, plain: MemoryStore | None = None) -> None:
        self._plain = plain
        self.now = now
        self.terms = terms
        self.run = 1
        self.tables = Tables()
        self.inboxes: list[deque[str]] = []
        self._chances = itertools.count(1)

    def snapshot(self) -> Tables:
        """Return what a dump of this moment holds."""
        return self.tables.copied()

    def restart(self, snapshot: Tables | None = None) -> None:
        """Restart, empty or from a snapshot; listeners are cut."""
        self.run += 1
        self.tables = snapshot.copied() if snapshot is not None else Tables()
        self.inboxes.clear()

    def begin(self, after: int) -> Position:
        """See `begin.lua`."""
        tables = self.tables
        whole = tables.epoch and tables.sequence is not None and tables.sentinel == tables.epoch
        if (
            whole
            and tables.run == self.run
            and tables.epoch != after
            and counter_of(tables.epoch) >= counter_of(after)
            and tables.sequence is not None
        ):
            return Position(tables.epoch, tables.sequence)
        counter = max(counter_of(tables.epoch), counter_of(after)) + 1
        tables.epoch = tables.sentinel = epoch_made(counter, next(self._chances))
        tables.run = self.run
        tables.begun_s = self.now()
        tables.sequence = tables.sequence or 0
        tables.log.clear()
        tables.marks.clear()
        return Position(tables.epoch, tables.sequence)

    def whole(self, run: int) -> Position:
        """Return the position if the state is whole and of this `run`; raise `LostError` if not. See `state.lua`."""
        tables = self.tables
        if not tables.epoch or tables.sequence is None or tables.sentinel != tables.epoch:
            raise LostError
        if run != self.run or tables.run != self.run:
            raise LostError
        return Position(tables.epoch, tables.sequence)

    def announce(self, writer: str, names: Sequence[str], *, strict: bool) -> Announcement:
        """See `announce.lua`."""
        now_s = self.now()
        position = self.invalidate(names, Kind.STRICT if strict else Kind.INVALIDATION)
        for name in names:
            writers = self.tables.writers.setdefault(name, Writers({}))
            writers.ids = {each: (until, epoch) for each, (until, epoch) in writers.ids.items() if until > now_s}
            writers.ids[writer] = (now_s + self.terms.writer_s, position.epoch)
            writers.last = position.sequence
        return Announcement(position, dict(self.tables.nodes), self.young(self.terms.writer_s))

    def finish(self, writer: str, names: Sequence[str], announced: Position | None, puts: Sequence[Put]) -> Ended:
        """See `finish.lua`."""
        kept = [put for put in puts if announced is not None and self._last_writer(writer, put, announced)]
        position = self.invalidate(names, Kind.INVALIDATION)
        for name in names:
            writers = self.tables.writers.get(name)
            if writers is None:
                continue
            writers.ids.pop(writer, None)
            writers.last = position.sequence
            if not writers.ids:
                del self.tables.writers[name]
        for put in kept:
            self.tables.entries[put.key] = Stored(put, position, self.now())
        return Ended(position, tuple(put.key for put in kept))

    def peek(self, key: str) -> Given | Miss:
        """Return the entry of `key` if a lookup would give it."""
        dirty = self._dirty(key)
        if dirty is not None:
            return dirty
        if self.terms.strict and self.young(self.terms.writer_s):
            return Miss("bypass", "writing")
        entry = self.entry(key)
        return Given(entry, self.position()) if entry is not None and entry.ttl_s > 0 else Miss("uri-miss")

    def lookup(self, key: str, owner: str, early_s: float = 0.0) -> Given | Writing | Permitted | Busy:
        """See `lookup.lua`."""
        position = self.position()
        if self.terms.strict and self.young(self.terms.writer_s):
            return Writing(position)
        dirty = self._dirty(key)
        if dirty is not None:
            return dirty
        entry = self.entry(key)
        if entry is not None and entry.ttl_s > early_s:
            return Given(entry, position)
        if self.being_written(key_name(key)) or self.being_written(EVERYTHING):
            return Writing(position)
        token = self._token(key)
        if token is not None and token.base.epoch == position.epoch:
            return Busy(position, entry)
        token = Token(owner, position)
        self.tables.tokens[key] = (token, self.now() + self.terms.token_s)
        return Permitted(token, entry)

    def release(self, key: str, token: Token) -> bool:
        """See `release.lua`."""
        if self._token(key) != token:
            return False
        del self.tables.tokens[key]
        return True

    def fill(self, put: Put, token: Token) -> Kept:
        """See `fill.lua`."""
        position = self.position()
        mine = self._token(put.key) == token
        kept = (
            mine
            and token.base.epoch == position.epoch
            and not (self.terms.strict and self.young(self.terms.writer_s))
            and not any(map(self.being_written, (key_name(put.key), EVERYTHING, *put.names)))
            and self._mark(put.names) <= token.base.sequence
        )
        if mine:
            del self.tables.tokens[put.key]
        if kept:
            self.tables.entries[put.key] = Stored(put, token.base, self.now())
        return Kept(kept, position)

    def log(self, after: int) -> Log:
        """See `log.lua`."""
        return Log(self.position(), tuple(each for each in self.tables.log if each.position.sequence > after))

    def sweep(self) -> int:
        """See `overdue.lua` and `sweep.lua`."""
        names = [name for name in self.tables.writers if not self.being_written(name)]
        for name in names:
            del self.tables.writers[name]
        return len(names)

    def publish(self, text: str) -> None:
        """Tell every listener."""
        for inbox in self.inboxes:
            inbox.append(text)

    def position(self) -> Position:
        """Return the position; the state is whole."""
        assert self.tables.sequence is not None
        return Position(self.tables.epoch, self.tables.sequence)

    def young(self, grace_s: float) -> bool:
        """Whether the epoch began within the last `grace_s`."""
        return self.now() < self.tables.begun_s + grace_s

    def being_written(self, name: str) -> bool:
        """Whether a writer of `name` is under way and within its deadline, of whatever epoch."""
        writers = self.tables.writers.get(name)
        return writers is not None and any(self.now() < until for until, _ in writers.ids.values())

    def entry(self, key: str) -> Entry | None:
        """Return the entry of `key` if it is of this epoch and no mark exceeds its base; it may be expired."""
        stored = self.tables.entries.get(key)
        if stored is None or stored.base.epoch != self.tables.epoch:
            return None
        put = stored.put
        age_s = self.now() - stored.stored_s
        if age_s >= put.ttl_s + put.stale_s or self._mark(put.names) > stored.base.sequence:
            return None
        loaded = put.loaded
        return Entry(loaded.value, loaded.version, loaded.tags, put.ttl_s - age_s, age_s, loaded.load_s)

    def invalidate(self, names: Sequence[str], kind: Kind) -> Position:
        """See `invalidate.lua`."""
        position = self.position()
        position = Position(position.epoch, position.sequence + 1)
        self.tables.sequence = position.sequence
        for name in names:
            if is_key(name):
                self.tables.entries.pop(key_in(name), None)
                self.tables.tokens.pop(key_in(name), None)
            else:
                self.tables.marks[name] = position.sequence
            if namespace_in(name) and self._plain is not None:
                self._plain.bump(namespace_counter(namespace_in(name)))
        message = Message(position, kind, tuple(names))
        self.tables.log.append(message)
        while len(self.tables.log) > self.terms.log_length:
            self.tables.log.popleft()
        self.publish(message_text(message))
        return position

    def _dirty(self, key: str) -> Given | None:
        dirty = None if self._plain is None else self._plain.dirty.get(key)
        if dirty is None or dirty.pinned is None:
            return None
        pinned = dirty.pinned
        entry = Entry(pinned.value, dirty.version, pinned.tags, ttl_s=float("inf"), age_s=0.0)
        return Given(entry, self.position(), dirty=True)

    def _mark(self, tags: Iterable[str]) -> int:
        return max(self.tables.marks.get(name, 0) for name in (EVERYTHING, *tags))

    def _token(self, key: str) -> Token | None:
        held = self.tables.tokens.get(key)
        return held[0] if held is not None and self.now() < held[1] else None

    def _last_writer(self, writer: str, put: Put, announced: Position) -> bool:
        """See `last_writer` in `finish.lua` (D1)."""
        epoch = self.tables.epoch
        key = key_name(put.key)
        writers = self.tables.writers.get(key)
        if writers is None or writer not in writers.ids or announced.epoch != epoch:
            return False
        until, of = writers.ids[writer]
        if of != epoch or self.now() >= until or (self.terms.strict and self.young(self.terms.writer_s)):
            return False
        if writers.last != announced.sequence or self._mark(put.names) > announced.sequence:
            return False
        everyone = (self.tables.writers.get(name, Writers({})).ids for name in (key, EVERYTHING, *put.names))
        return not any(set(ids) - {writer} for ids in everyone)
