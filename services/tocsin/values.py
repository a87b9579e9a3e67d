"""Values: the cache as a dictionary that all processes share: get, set, add, delete, count, with no loader at hand.

    set ──▶ announce ─▶ shelf (Redis: the truth) ─▶ finish: every copy is invalidated
    get ──▶ L1 ──▶ L2 ──▶ shelf: what they hold are copies, under the strategy that guards all other entries too

A value that an application sets has no database behind it, so it is kept on a shelf of its own in Redis, which the
cache treats as it treats a database: writers change it between announce and finish, and a miss loads from it. So
the promises of the strategy hold for these values unchanged, and `add` and `count` are atomic across all processes,
because each is one step on the shelf.

What always holds:

- An absent value is `Absent`, never None, which is a value like any other.
- A copy is never returned past the end of its value: it carries what was left to the value when it was copied, and
  its age is measured by Redis and by this process's own clock, never by comparing clocks.
- A set that follows a get of the same key may say so (`after`), and is then refused if the key was removed, or its
  shelf cleared, since: what was computed before the removal must not come back after it (hazard 1).

      A: get: absent … computes from the old rows ............. set after that absence: refused
      B:               commits new rows, delete
"""

import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from tocsin.cache import Cache
from tocsin.codec import Unreadable, ValueCodec
from tocsin.entry import Loaded
from tocsin.errors import Happened, Unavailable
from tocsin.names import Names
from tocsin.policy import Policy

_KEY_LENGTH_MAX = 200
ABSENCE_TTL_S = 1.0
"""How long an absence is believed without asking the shelf again, should its end not have been heard of."""

Result = TypeVar("Result")


class Present(Struct, frozen=True):
    """What a shelf holds under a key: the packed value, and how long it will, None for without end."""

    packed: bytes
    left_s: float | None


class Absent(Struct, frozen=True):
    """Nothing is there; `token` stands for this absence, until the key is removed again or its shelf cleared."""

    token: bytes = b""


Seen = Present | Absent
"""What a get found: a later set of the same key may be made to depend on it."""


class Put(Struct, frozen=True):
    """One value to be set; `after` makes it depend on what a get found; `if_absent` on nothing being there."""

    key: str
    packed: bytes
    after: Seen | None = None
    if_absent: bool = False


class Shelf(Protocol):
    """The port: the shared truth. Each method is one atomic step, and may raise `Unavailable`."""

    name: str

    def get(self, key: str) -> Seen:
        """Return what lies under `key`."""

    def put(self, puts: Sequence[Put], ttl_s: float | None) -> list[bool]:
        """Set what may be set, for `ttl_s` seconds (None: without end); return which were."""

    def remove(self, keys: Sequence[str]) -> list[bool]:
        """Remove values and absences; return which had a value."""

    def count(self, key: str, delta: int, ttl_s: float | None) -> int:
        """Add to a number, or to 0 with `ttl_s` to live; raise `TypeError` if there is something else."""

    def clear(self) -> None:
        """Remove everything at once."""

    def close(self) -> None:
        """Close what this process has opened; a later call opens it again."""


class Values:
    """Shared values by key, with local copies."""

    def __init__(self, *, cache: Cache, shelf: Shelf, codec: ValueCodec) -> None:
        self._cache = cache
        self._shelf = shelf
        self._codec = codec
        self._everything = f"shelf:{shelf.name}"
        self._policy = Policy()

    def get(self, key: str) -> Any | Absent:
        """Return the value of `key`, or an `Absent`; raise `Unavailable` if only Redis could tell and does not."""
        return self.unpack(self.look(key))

    def get_many(self, keys: Sequence[str]) -> list[Any | Absent]:
        """Return the values of `keys`, in their order, each a value or an `Absent`; raises as `get` does."""
        return [self.get(key) for key in keys]

    def look(self, key: str) -> Seen:
        """Return what is there, still packed, for a later `set(..., after=...)`; raises `Unavailable`."""
        name = shelf_key(key)
        answer = self._cache.read(self._name(name), lambda: self._load(name), self._policy)
        try:
            left_s, packed, token = _decode_copy(answer.value or b"")
        except msgspec.DecodeError:
            return self._shelf.get(name)  # somebody else's entry under our name
        if answer.age_s >= left_s:
            return self._shelf.get(name)  # the copy outlived its value; its own time to live will end it
        if packed is None:
            return Absent(token)
        return Present(packed, None if math.isinf(left_s) else left_s - answer.age_s)

    def unpack(self, seen: Seen) -> Any | Absent:
        """Return the value in what a `look` found; one that the codec can't read is absent."""
        if isinstance(seen, Absent):
            return seen
        try:
            return int(seen.packed) if seen.packed[:1] in b"-0123456789" else self._codec.decode(seen.packed)
        except (Unreadable, ValueError):  # somebody else wrote it
            return Absent()

    def pack(self, value: object) -> bytes:
        """Return `value` as the shelf holds it: whole numbers as digits, so that they can be counted up there."""
        if type(value) is int and -(2**63) <= value < 2**63:
            return b"%d" % value
        return self._codec.encode(value)

    def set(self, key: str, value: object, ttl_s: float | None = None, *, after: Seen | None = None) -> bool:
        """Set a value for `ttl_s` seconds (None: without end); return False if it was refused because of `after`.

        Raises `codec.Unstorable` and `Unavailable`.
        """
        return self.set_many({key: value}, ttl_s, after={} if after is None else {key: after}) == [key]

    def set_many(
        self, values: Mapping[str, object], ttl_s: float | None = None, *, after: Mapping[str, Seen] | None = None
    ) -> list[str]:
        """Set several values; return the keys of those that were. Raises as `set` does, and then none is."""
        seen = after or {}
        packed = {key: self.pack(value) for key, value in values.items()}
        puts = [Put(shelf_key(key), each, _evidence(seen.get(key), each)) for key, each in packed.items()]
        done = self._write(puts, lambda: self._shelf.put(puts, ttl_s))
        return [key for key, was_set in zip(values, done, strict=True) if was_set]

    def add(self, key: str, value: object, ttl_s: float | None = None) -> bool:
        """Set a value if nothing is there; return whether it was set. Of any number of callers at once, one sets."""
        put = Put(shelf_key(key), self.pack(value), if_absent=True)
        return self._write([put], lambda: self._shelf.put([put], ttl_s)) == [True]

    def delete(self, key: str) -> bool:
        """Remove a value; return whether there was one. Raises `Unavailable`."""
        return self.delete_many([key]) == [True]

    def delete_many(self, keys: Sequence[str]) -> list[bool]:
        """Remove values; return for each key whether there was one. Raises `Unavailable`."""
        names = [shelf_key(key) for key in keys]
        return self._write([Put(name, b"") for name in names], lambda: self._shelf.remove(names)) if names else []

    def count(self, key: str, delta: int = 1, ttl_s: float | None = None) -> int:
        """Add `delta` to a number, which keeps its time to live, or to 0, and return it; none of several is lost.

        Raises `TypeError` if the value is no whole number of 64 bits, and `Unavailable`.
        """
        name = shelf_key(key)
        return self._write([Put(name, b"")], lambda: self._shelf.count(name, delta, ttl_s))

    def clear(self) -> None:
        """Remove everything on this shelf; raises `Unavailable`."""
        self._change(Names(tags=(self._everything,)), self._shelf.clear)

    def close(self) -> None:
        """Close what this process has opened for the shelf; a later call opens it again."""
        self._shelf.close()

    def _write(self, puts: Sequence[Put], change: Callable[[], Result]) -> Result:
        return self._change(Names(keys=tuple(self._name(put.key) for put in puts)), change) if puts else change()

    def _change(self, names: Names, change: Callable[[], Result]) -> Result:
        with self._cache.writing(names) as write:
            try:
                return change()
            except Unavailable as error:
                if error.happened is Happened.UNKNOWN:
                    write.unknown()
                raise

    def _load(self, name: str) -> Loaded:
        found = self._shelf.get(name)
        if isinstance(found, Absent):
            copy: _Copy = (ABSENCE_TTL_S, None, found.token)
        else:
            copy = (math.inf if found.left_s is None else found.left_s, found.packed, b"")
        return Loaded(_encode_copy(copy), tags=(self._everything,))

    def _name(self, shelf_key: str) -> str:
        return f"{self._everything}:{shelf_key}"


def _evidence(seen: Seen | None, packed: bytes) -> Seen | None:
    """Return on what a set depends, after a get that found `seen`.

    Absence: on nobody having removed the key since. A value, and the set writes back that very value (to prolong its
    life, as memoize does with its version hashes): on it being there still. Another value: on nothing, it is new.
    """
    return seen if isinstance(seen, Absent) or (seen is not None and seen.packed == packed) else None


_Copy = tuple[float, bytes | None, bytes]
"""What L1 and L2 hold: seconds left to the value when it was copied, the packed value, else the absence's token."""

_encode_copy = msgspec.msgpack.Encoder().encode
_decode_copy = msgspec.msgpack.Decoder(_Copy).decode


def shelf_key(key: str) -> str:
    """Return `key` as a name: itself after `k:` if it is short and printable, else its SHA-256 after `h:`."""
    if len(key) <= _KEY_LENGTH_MAX and key.isprintable():
        return f"k:{key}"
    return f"h:{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"
