"""Entries: what lies in Redis under a key, and the `Entry` that it is.

    <epoch> <base> <stale_ms> <end_ms> <names>, a line's end, what `tocsin.redis.wire` packs    (`keep` in state.lua)

What always holds: bytes that are not an entry of ours are none, and no error.
"""

import math

from msgspec import Struct

from tocsin.entry import Entry, Miss
from tocsin.position import Position
from tocsin.redis.wire import Undecodable, decode_entry
from tocsin.sequencer import Given, Lying, Writing

ABSENT = Miss("uri-miss")
SEPARATOR = "\x1f"
"""What stands between the names of an entry."""

ASKED_EVERY_S = 1.0
DRIFT = 0.01
"""How much slower than the server's this process's clock may go: a hundred times what quartz does."""


class ServerTime(Struct, frozen=True):
    """What the server's clock said, and a moment on this process's clock before it was asked.

    It tells how much is left to an entry, and is compared with nothing else.
    """

    server_ms: int
    asked_s: float

    @property
    def known_until_s(self) -> float:
        """Until when it need not be asked again."""
        return self.asked_s + ASKED_EVERY_S

    def latest_ms(self, now_s: float) -> int:
        """Return what the server's clock says by now at most, so that no entry seems good for longer than it is."""
        return self.server_ms + int((now_s - self.asked_s) * 1000 * (1 + DRIFT)) + 1


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


def lying(raw: bytes | None, now_ms: int, epoch: bytes, epoch_number: int) -> Lying | Miss | None:
    """Return an entry of this epoch, or that there is none; None for what a lookup has to judge."""
    if raw is None:
        return ABSENT
    head, _, body = raw.partition(b"\n")
    try:
        of, base, _, end_ms, joined = head.split(b" ", 4)
        left_ms = int(end_ms) - now_ms
        if left_ms <= 0:
            return ABSENT
        if of != epoch:
            return None
        loaded, ttl_ms = decode_entry(body)
        names = tuple(joined.decode().split(SEPARATOR)) if joined else ()
        position = Position(epoch_number, int(base))
    except Undecodable:
        return None
    age_s = max(ttl_ms - left_ms, 0) / 1000
    entry = Entry(loaded.value, loaded.version, loaded.tags, left_ms / 1000, age_s, loaded.load_s)
    return Lying(entry, position, names)
