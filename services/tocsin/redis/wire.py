r"""Wire: what entries and messages look like in Redis.

    7\n<msgpack array: time to live, tags, value, load time>      an entry of version 7
    <msgpack array: source, names>                                 a message

Both are written and read by msgspec into declared types: data from Redis is never executed, and never becomes anything
but these types. The version stands apart as digits, because the scripts compare it and Redis's own msgpack can't read
an array that holds bytes. What always holds: bytes that are not an entry raise one of `Undecodable`, and their reader
treats them as a miss.
"""

import msgspec
from msgspec import Struct

from tocsin.entry import Loaded
from tocsin.names import Names


class WireEntry(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What follows an entry's version.

    `ttl_ms` is its whole time to live. Redis says how much of it is left, so its age needs no clock but Redis's.
    `load_ms` is how long its load took; an entry that was written before this was measured says 0.
    """

    ttl_ms: int
    tags: tuple[str, ...]
    value: bytes | None
    load_ms: int = 0


class WireMessage(Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """An invalidation on its way to the other nodes, and the node that sent it."""

    source: str
    names: Names


Undecodable = (msgspec.DecodeError, UnicodeDecodeError, ValueError)
"""What the decoders raise for foreign bytes; `ValueError` comes from `Names`."""

encode = msgspec.msgpack.Encoder().encode
decode_message = msgspec.msgpack.Decoder(WireMessage).decode
decode_names = msgspec.msgpack.Decoder(Names).decode
_decode_entry = msgspec.msgpack.Decoder(WireEntry).decode


def milliseconds(seconds: float) -> int:
    """Return a duration as Redis takes it: whole milliseconds, at least one."""
    return max(1, round(seconds * 1000))


def encode_entry(loaded: Loaded, ttl_s: float) -> bytes:
    """Return `loaded` as L2 keeps it for `ttl_s` seconds."""
    entry = WireEntry(milliseconds(ttl_s), loaded.tags, loaded.value, round(loaded.load_s * 1000))
    return b"%d\n%b" % (loaded.version, encode(entry))


def decode_entry(raw: bytes) -> tuple[Loaded, int]:
    """Return what was stored, and its whole time to live in milliseconds; raises one of `Undecodable`."""
    version, _, packed = raw.partition(b"\n")
    entry = _decode_entry(packed)
    return Loaded(entry.value, int(version), entry.tags, entry.load_ms / 1000), entry.ttl_ms
