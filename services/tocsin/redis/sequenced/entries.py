"""Entries: what lies in Redis under a key, and the `Entry` that it is.

    <epoch> <base> <stale_ms> <end_ms> <names>, a line's end, what `tocsin.redis.wire` packs    (`keep` in state.lua)

What always holds: bytes that are not an entry of ours are none, and no error.
"""

import math
from collections.abc import Sequence

from msgspec import Struct

from tocsin.entry import Entry, Miss
from tocsin.position import EPOCH_DIGITS, Position, epoch_of
from tocsin.redis.wire import Undecodable, decode_entry
from tocsin.sequencer import Given, Glimpsed, Writing

ABSENT = Miss("uri-miss")
SEPARATOR = b"\x1f"
"""What stands between the names of an entry."""


def dirty_of(raw: bytes, version: bytes, position: Position) -> Given | Writing:
    """Return a write-behind value, which has no end; its version stands beside it, given by the script that took it."""
    try:
        loaded, _ = decode_entry(raw)
    except Undecodable:
        return Writing(position)
    return Given(Entry(loaded.value, int(version), loaded.tags, ttl_s=math.inf, age_s=0.0), position, dirty=True)


def entry_of(raw: bytes, left_ms: int) -> Entry | None:
    """Return an entry with the time that is left to it (negative: how long ago it expired); None if it is not ours."""
    _, _, body = raw.partition(b"\n")
    try:
        loaded, ttl_ms = decode_entry(body)
    except Undecodable:
        return None
    age_s = max(ttl_ms - left_ms, 0) / 1000
    return Entry(loaded.value, loaded.version, loaded.tags, left_ms / 1000, age_s, loaded.load_s)


class Marks(Struct, frozen=True):
    """Marks that were read: of which epoch they are ('' for a state that is lost), and the last sequence of each name.

    Names are as they stand in an entry.
    """

    epoch: bytes
    everything: int
    by_name: dict[bytes, int]

    @classmethod
    def of(
        cls, sentinel: bytes | None, everything: bytes | None, names: Sequence[str], marks: Sequence[bytes | None]
    ) -> "Marks":
        """Return the marks from the fields of `tags`."""
        by_name = {name.encode(): int(mark or 0) for name, mark in zip(names, marks, strict=True)}
        return cls((sentinel or b"")[:EPOCH_DIGITS], int(everything or 0), by_name)

    def allow(self, epoch: bytes, base: int, names: Sequence[bytes]) -> bool:
        """Whether an entry of this epoch and base is untouched; no, if it has a name that was not asked for."""
        if epoch != self.epoch or self.everything > base:
            return False
        return all(name in self.by_name and self.by_name[name] <= base for name in names)


def glimpsed(raw: bytes | None, now_ms: int, marks: Marks) -> Glimpsed | Miss | None:
    """Return an untouched entry, or that there is none; None for what a lookup has to judge."""
    if raw is None:
        return ABSENT
    head, _, body = raw.partition(b"\n")
    try:
        epoch, text, _, end_ms, joined = head.split(b" ", 4)
        base, names = int(text), joined.split(SEPARATOR) if joined else []
        left_ms = int(end_ms) - now_ms
        if left_ms <= 0:
            return ABSENT
        if not marks.allow(epoch, base, names):
            return None
        loaded, ttl_ms = decode_entry(body)
        position = Position(epoch_of(epoch), base)
        known = tuple(map(bytes.decode, names))
    except Undecodable:
        return None
    age_s = max(ttl_ms - left_ms, 0) / 1000
    entry = Entry(loaded.value, loaded.version, loaded.tags, left_ms / 1000, age_s, loaded.load_s)
    return Glimpsed(entry, position, known)
