"""Entries: what lies in Redis under a key, and the `Entry` that it is.

    <epoch> <base> <stale_ms> <end_ms> <names>, a line's end, what `tocsin.redis.wire` packs    (`keep` in state.lua)

What always holds: bytes that are not an entry of ours are none, and no error.
"""

import math

from tocsin.entry import Entry, Miss
from tocsin.position import Position, epoch_of
from tocsin.redis.wire import Undecodable, decode_entry
from tocsin.sequencer import Given, Glimpsed, Writing

ABSENT = Miss("uri-miss")


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


def glimpsed(raw: bytes | None, now_ms: int) -> Glimpsed | Miss | None:
    """Return an entry with all that a reader needs to judge it by itself, or a miss; None for what is not ours."""
    if raw is None:
        return ABSENT
    head, _, body = raw.partition(b"\n")
    try:
        epoch, base, _, end_ms, names = head.split(b" ", 4)
        left_ms = int(end_ms) - now_ms
        if left_ms <= 0:
            return ABSENT
        loaded, ttl_ms = decode_entry(body)
        position = Position(epoch_of(epoch), int(base))
        known = tuple(names.decode().split("\x1f")) if names else ()
    except Undecodable:
        return None
    age_s = max(ttl_ms - left_ms, 0) / 1000
    entry = Entry(loaded.value, loaded.version, loaded.tags, left_ms / 1000, age_s, loaded.load_s)
    return Glimpsed(entry, position, known)
