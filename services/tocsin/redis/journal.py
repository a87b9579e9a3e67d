"""Journal: write-behind in Redis.

    tocsin:{catalog}:dirty:<key>       version, and the entry while it is pinned
    tocsin:{catalog}:journal           stream of operations, oldest first
    tocsin:{catalog}:idempotent:<key>  what a request was answered, for 24 hours

What always holds: taking a write and forgetting it are one script each; between them the operation is in the stream
and the value is pinned, both without a time to live.
"""

from collections.abc import Sequence

from tocsin.entry import Loaded
from tocsin.errors import Happened, Unavailable
from tocsin.invalidation import Invalidation
from tocsin.journal import (
    FLOOR_TTL_S,
    IDEMPOTENCY_TTL_S,
    Accepted,
    Behind,
    Operation,
    Outcome,
    Outdated,
    Replayed,
    Reused,
)
from tocsin.redis.connection import RedisConnection, Script
from tocsin.redis.shared_level import RedisSharedLevel
from tocsin.redis.wire import Undecodable, decode_entry, decode_names, encode, encode_entry, milliseconds

_BEHIND = Script("counters", "entries", "invalidate", "behind")
_DRAINED = Script("counters", "entries", "invalidate", "drained")


class RedisJournal:
    """The journal of one namespace."""

    def __init__(self, connection: RedisConnection, shared: RedisSharedLevel) -> None:
        self._connection = connection
        self._shared = shared

    def write(self, behind: Behind, invalidation: Invalidation) -> Outcome:
        """Pin, append, invalidate and tell, in one script."""
        idempotency = behind.idempotency
        reply = self._connection.run(
            _BEHIND,
            encode(
                {
                    "key": behind.key,
                    "row_version": behind.row_version,
                    "expects": behind.expected_version is not None,
                    "expected_version": behind.expected_version or 0,
                    "idempotency_key": "" if idempotency is None else idempotency.key,
                    "fingerprint": "" if idempotency is None else idempotency.fingerprint,
                    "idempotent_ms": milliseconds(IDEMPOTENCY_TTL_S),
                }
            ),
            behind.operation,
            encode(behind.names),
            encode_entry(Loaded(behind.value, 0, behind.tags), 0.0),
            *self._shared.pack(invalidation),
        )
        match reply:
            case [b"accepted", version]:
                return Accepted(int(version))
            case [b"replayed", version, entry]:
                return Replayed(int(version), decode_entry(entry)[0].value)
            case [b"outdated", version]:
                return Outdated(int(version))
            case _:
                return Reused()

    def pending(self, limit: int) -> Sequence[Operation]:
        """Return the oldest operations of the stream."""
        operations = []
        for position, fields in self._connection.command(
            "XRANGE", f"{self._connection.prefix}journal", "-", "+", "COUNT", limit
        ):
            named = dict(zip(fields[::2], fields[1::2], strict=True))
            try:
                operations.append(
                    Operation(
                        position=position.decode(),
                        key=named[b"key"].decode(),
                        version=int(named[b"version"]),
                        operation=named[b"operation"],
                        names=decode_names(named[b"names"]),
                    )
                )
            except (KeyError, *Undecodable) as error:
                # Skipping it would lose an acknowledged write in silence; applying the later ones would reorder them.
                raise Unavailable(
                    f"operation {position.decode()} of the journal is not one of ours: {error!r}; look at it with"
                    f" XRANGE {self._connection.prefix}journal {position.decode()} {position.decode()}",
                    detail="journal-undecodable",
                    happened=Happened.NO,
                ) from error
        return operations

    def drained(self, operation: Operation, invalidation: Invalidation) -> None:
        """Remove, unpin if still of this version, invalidate and tell, in one script."""
        self._connection.run(
            _DRAINED,
            operation.position,
            operation.key,
            operation.version,
            milliseconds(FLOOR_TTL_S),
            *self._shared.pack(invalidation),
        )

    def waiting(self) -> int:
        """Return the length of the stream."""
        return int(self._connection.command("XLEN", f"{self._connection.prefix}journal"))
