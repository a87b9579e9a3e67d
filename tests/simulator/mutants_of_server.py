"""Mutants of the server: each step of the protocol's state lacks one rule, as the same mistake in a script would.

Each is a subclass that changes one method. The simulator and the stories must convict each of a promise that the rule
keeps; the same mistakes in the scripts of Redis are in tests/contracts/mutants.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from tocsin.memory.sequenced_state import MemoryServer, Stored
from tocsin.memory.store import MemoryStore
from tocsin.message import EVERYTHING, Kind, is_key, key_in, key_name
from tocsin.position import Position
from tocsin.sequencer import Announcement, Ended, Kept, Put, Terms, Token


class FillsWithoutToken(MemoryServer):
    """Hazard 1: stores every fill."""

    def fill(self, put: Put, token: Token) -> Kept:
        self.tables.entries[put.key] = Stored(put, Position(self.tables.epoch, token.base.sequence), self.now())
        return Kept(True, self.position())


class FillsAnyEpoch(MemoryServer):
    """M11: a token that came back with a snapshot still fills, and its value is taken for one of the new epoch."""

    def fill(self, put: Put, token: Token) -> Kept:
        mine = self._token(put.key) == token
        if mine and not self.being_written(key_name(put.key)) and self._mark(put.names) <= token.base.sequence:
            self.tables.entries[put.key] = Stored(put, Position(self.tables.epoch, token.base.sequence), self.now())
            return Kept(True, self.position())
        return Kept(False, self.position())


class FillsWhileWriting(MemoryServer):
    """D, reading 3: a fill does not ask whether a tag of the value is being written."""

    def being_written(self, name: str) -> bool:
        return name.startswith("k:") and super().being_written(name)


class GivesWithoutMarks(MemoryServer):
    """M09: a hit in L2 is not compared with the marks of its tags."""

    def _mark(self, names: Iterable[str]) -> int:
        return 0


class OneWriterForAll(MemoryServer):
    """C8: the end of one write lifts all writers of the name."""

    def finish(self, writer: str, names: Sequence[str], announced: Position | None, puts: Sequence[Put]) -> Ended:
        ended = super().finish(writer, names, announced, puts)
        for name in names:
            self.tables.writers.pop(name, None)
        return ended


class AloneAtTheEnd(MemoryServer):
    """D1: a write-through keeps its value if nobody else is writing at its end, whoever came and went."""

    def _last_writer(self, writer: str, put: Put, announced: Position) -> bool:
        writers = self.tables.writers.get(key_name(put.key))
        return writers is not None and set(writers.ids) == {writer}


class KeyAlone(MemoryServer):
    """D1b: the same for the key, but marks and writers of the value's tags are not asked."""

    def _last_writer(self, writer: str, put: Put, announced: Position) -> bool:
        return super()._last_writer(writer, replace_names(put), announced)


def replace_names(put: Put) -> Put:
    """Return a put that says nothing of its tags."""
    return Put(put.key, put.loaded, (), put.ttl_s, put.stale_s)


class WriterOfAnyEpoch(MemoryServer):
    """C5: a write-through that came back with a snapshot keeps its value."""

    def _last_writer(self, writer: str, put: Put, announced: Position) -> bool:
        writers = self.tables.writers.get(key_name(put.key))
        return writers is not None and set(writers.ids) == {writer} and writers.last == announced.sequence


class NoGrace(MemoryServer):
    """D2: a new epoch trusts its list of writers at once."""

    def young(self, grace_s: float) -> bool:
        return False


class SameEpochAfterRestart(MemoryServer):
    """C9, M05: nobody compares run ids, so what a snapshot brings back is believed."""

    def restart(self, snapshot: object = None) -> None:
        super().restart(snapshot)  # type: ignore[arg-type]
        self.tables.run = self.run

    def whole(self, run: int) -> Position:
        return super().whole(self.run)


class FinishesQuietly(MemoryServer):
    """C7, NoBump: the end of a write takes its writer out, and invalidates nothing."""

    def finish(self, writer: str, names: Sequence[str], announced: Position | None, puts: Sequence[Put]) -> Ended:
        for name in names:
            writers = self.tables.writers.get(name)
            if writers is not None:
                writers.ids.pop(writer, None)
        return Ended(self.position(), ())


class ExpiredAreForgotten(MemoryServer):
    """D1c: a write-through keeps its value though another writer, who is late at its end, may have committed."""

    def _last_writer(self, writer: str, put: Put, announced: Position) -> bool:
        now_s = self.now()
        for name in (key_name(put.key), EVERYTHING, *put.names):
            writers = self.tables.writers.get(name)
            if writers is not None:
                writers.ids = {each: held for each, held in writers.ids.items() if held[0] > now_s}
        return super()._last_writer(writer, put, announced)


class InvalidatesDirty(MemoryServer):
    """C12b: an invalidation removes a write-behind value that the database does not have."""

    def invalidate(self, names: Sequence[str], kind: Kind) -> Position:
        for name in names:
            if is_key(name) and kind is Kind.INVALIDATION and self._plain is not None:
                self._plain.dirty.pop(key_in(name), None)
        return super().invalidate(names, kind)


class RemembersWhoAsked(MemoryServer):
    """Not a mutant by itself: it knows which node a sequence was given to, for those that suppress own echoes."""

    def __init__(self, *, now: Callable[[], float], terms: Terms, plain: MemoryStore | None = None) -> None:
        super().__init__(now=now, terms=terms, plain=plain)
        self.asked: dict[Position, str] = {}

    def announce(self, writer: str, names: Sequence[str], *, strict: bool) -> Announcement:
        announcement = super().announce(writer, names, strict=strict)
        self.asked[announcement.position] = writer[0]
        return announcement

    def finish(self, writer: str, names: Sequence[str], announced: Position | None, puts: Sequence[Put]) -> Ended:
        ended = super().finish(writer, names, announced, puts)
        self.asked[ended.position] = writer[0]
        return ended


class RefreshesFreely(MemoryServer):
    """Hazard 29: a load that began before the end of an entry is kept, whatever was invalidated meanwhile."""

    def fill(self, put: Put, token: Token) -> Kept:
        position = self.position()
        if token.base.epoch == position.epoch and key_name(put.key) not in self.tables.writers:
            self.tables.entries[put.key] = Stored(put, Position(position.epoch, self.tables.sequence or 0), self.now())
            return Kept(True, position)
        return Kept(False, position)
