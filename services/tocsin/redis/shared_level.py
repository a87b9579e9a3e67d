"""Shared level: L2 in Redis, one script per step.

    tocsin:{catalog}:entry:<physical key>    version and value (`tocsin.redis.wire`), with a time to live
    tocsin:{catalog}:version:<counter>       digits, no time to live
    tocsin:{catalog}:file:<tag or key>       which entries carry a tag; as long-lived as the longest of them

What always holds: one round trip a step, and each step is atomic. An entry that is not one of ours is deleted and
reads as a miss. The server must not evict what has no time to live (`maxmemory-policy volatile-*`).
"""

# ruff: noqa: ARG002  # a method takes what its port says, whether or not this adapter needs it

from collections.abc import Sequence

from tocsin.address import Address
from tocsin.entry import Entry, Loaded, Miss
from tocsin.glob import matches, redis_glob
from tocsin.invalidation import Invalidation, keys_of, parent_counters, tag_file
from tocsin.redis.connection import RedisConnection, Script
from tocsin.redis.wire import Undecodable, WireMessage, decode_entry, encode, encode_entry, milliseconds
from tocsin.shared import EARLY, NOT_ANNOUNCED, Announced, Filled, Finished, Hit, Load, Store

_VERSIONS = Script("counters", "versions")
_BUMP = Script("counters", "bump")
_LOOKUP, _PEEK = Script("lookup"), Script("peek")
_FILL = Script("counters", "entries", "fill")
_FINISH = Script("counters", "entries", "invalidate", "finish")

PEEKED_AT_ONCE, SEARCHED_AT_ONCE = 1000, 1000
ABSENT = Miss("uri-miss")


class RedisSharedLevel:
    """L2 for one process.

    `tells`: a finish publishes its names. `consults_dirty`: a lookup looks for a write-behind value first.
    """

    def __init__(self, connection: RedisConnection, *, node: str, tells: bool, consults_dirty: bool) -> None:
        self._connection = connection
        self._node = node
        self._tells = tells
        self._consults_dirty = consults_dirty

    def versions(self, counters: Sequence[str]) -> tuple[int, ...]:
        """Return the value of each counter; one that is missing begins at the server's time in microseconds."""
        return tuple(map(int, self._connection.run(_VERSIONS, *counters)))

    def bump(self, counter: str) -> int:
        """Raise a counter by one and return its new value."""
        return int(self._connection.run(_BUMP, counter))

    def lookup(self, address: Address, early_s: float = 0.0) -> Hit | Load:
        """Return the dirty value, else the entry, else the permission to load."""
        found = self._read(address)
        if isinstance(found, Hit):
            return found if found.entry.ttl_s > early_s else EARLY
        if found.detail == "undecodable":
            # Whatever replaces it meanwhile is deleted too, which costs a miss.
            self._connection.command("DEL", f"{self._connection.prefix}entry:{address.physical}")
        return Load(reason=found.reason, detail=found.detail)

    def fill(self, address: Address, load: Load, loaded: Loaded, ttl_s: float, stale_s: float = 0.0) -> Filled:
        """Keep what was loaded; these strategies know no reason to refuse."""
        filed = (*address.filed, *map(tag_file, loaded.tags))
        self._connection.run(
            _FILL, address.physical, address.counter, milliseconds(ttl_s), encode_entry(loaded, ttl_s), *filed
        )
        return Filled(stored=True)

    def release(self, address: Address, load: Load) -> None:
        """Do nothing: a permission of these strategies binds nobody else."""

    def announce(self, invalidation: Invalidation) -> Announced:
        """Ask nothing of Redis: these strategies number nothing and refuse no fill."""
        return Announced()

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Invalidate, store and tell, in one script."""
        packed = encode(
            [
                (
                    *(store.key, store.counter, store.filed, store.loaded.version, milliseconds(store.ttl_s)),
                    parent_counters(store.key) if store.counter else (),
                )
                for store in stores
            ]
        )
        entries = (encode_entry(store.loaded, store.ttl_s) for store in stores)
        for pattern in invalidation.search:
            self._search(pattern)  # before anybody is told: who hears of it must not find the entry again
        self._connection.run(_FINISH, *self.pack(invalidation), packed, *entries)
        return Finished()

    def position(self) -> None:
        """Return None: these strategies number nothing."""

    def glimpse(self, addresses: Sequence[Address]) -> None:
        """Return None: these strategies have nothing to judge by but what a lookup finds."""

    def peek(self, addresses: Sequence[Address]) -> list[Hit | Miss]:
        """Return what lookups would find, and leave it there."""
        found: list[Hit | Miss] = []
        for begin in range(0, len(addresses), PEEKED_AT_ONCE):
            some = addresses[begin : begin + PEEKED_AT_ONCE]
            keys = encode([each.key for each in some]) if self._consults_dirty else b""
            flat = self._connection.run(_PEEK, keys, encode([each.physical for each in some]))
            found += [_found(*flat[at : at + 4]) for at in range(0, len(flat), 4)]
        return found

    def ping(self) -> None:
        """Return if Redis answers."""
        self._connection.command("PING")

    def renew(self) -> None:
        """Forget the parent's connections."""
        self._connection.renew()

    def close(self) -> None:
        """Close this process's connections."""
        self._connection.close()

    def pack(self, invalidation: Invalidation) -> tuple[bytes, bytes]:
        """Return an invalidation as the scripts expect it, and its message: Redis's own msgpack reads no bytes."""
        message = encode(WireMessage(self._node, invalidation.names)) if self._tells else b""
        packed = {
            "delete": invalidation.delete,
            "bump": invalidation.bump,
            "filed": invalidation.filed,
            "channel": channel(self._connection) if self._tells else "",
        }
        return encode(packed), message

    def _read(self, address: Address) -> Hit | Miss:
        return _found(*self._connection.run(_LOOKUP, address.physical, address.key if self._consults_dirty else ""))

    def _search(self, pattern: str) -> None:
        """Remove the entries whose keys fit, in steps: what is kept meanwhile may be missed (hazard 22)."""
        begin = f"{self._connection.prefix}entry:"
        cursor: bytes | str = "0"
        while True:
            # Ends: SCAN comes back to 0 after as many steps as the database has keys.
            cursor, names = self._connection.command(
                "SCAN", cursor, "MATCH", f"{redis_glob(begin + pattern)}*", "COUNT", str(SEARCHED_AT_ONCE)
            )
            fitting = [name for name in names if _fits(pattern, name.decode().removeprefix(begin))]
            if fitting:
                self._connection.command("UNLINK", *fitting)
            if cursor in (b"0", "0"):
                return


def _found(packed: bytes | None, left_ms: int, dirty_version: bytes | None, packed_dirty: bytes | None) -> Hit | Miss:
    try:
        if packed_dirty is not None and dirty_version is not None:
            dirty, _ = decode_entry(packed_dirty)
            return Hit(Entry(dirty.value, int(dirty_version), dirty.tags, ttl_s=float("inf"), age_s=0.0), dirty=True)
        if packed is None:
            return ABSENT
        return Hit(_entry(*decode_entry(packed), left_ms))
    except Undecodable:
        return Miss("uri-miss", "undecodable")


def _fits(pattern: str, physical: str) -> bool:
    return any(matches(pattern, key) for key in keys_of(physical))


def channel(connection: RedisConnection) -> str:
    """The channel on which a finish tells its names."""
    return f"{connection.prefix}invalidations"


def _entry(loaded: Loaded, ttl_ms: int, left_ms: int) -> Entry:
    left_ms = max(left_ms, 0)  # it expired between GET and PTTL, or somebody took its time to live away
    return Entry(
        loaded.value,
        loaded.version,
        loaded.tags,
        ttl_s=left_ms / 1000,
        age_s=max(ttl_ms - left_ms, 0) / 1000,
        load_s=loaded.load_s,
    )
