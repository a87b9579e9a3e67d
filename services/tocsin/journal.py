"""Journal: the port of write-behind, where a write is acknowledged before the database has it.

                 ┌ dirty value: what reads return from now on ┐
    write ──▶ one atomic step                                 ├──▶ drain: pending ─▶ database ─▶ drained ─▶ unpinned
                 └ operation: appended to the journal         ┘

What always holds: versions of a key rise strictly in the order in which its operations stand in the journal, and are
given by the step that appends them, above the dirty version, above the last version drained and above the row's
version as the writer read it. Dirty values and operations are no cache entries: they have no time to live, and no
invalidation removes them. Draining may be repeated after any crash: an operation leaves the journal only when
`drained` says so, and a value is unpinned only if nothing newer was written meanwhile.

What may be lost is what Redis loses: with `appendfsync everysec`, about the last second before a crash of its machine.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from tocsin.invalidation import Invalidation
from tocsin.names import Names

IDEMPOTENCY_TTL_S = 24 * 3600.0
"""How long a repeated request is recognised by its idempotency key."""

FLOOR_TTL_S = 3600.0
"""How long the last version drained of a key is remembered: longer than any writer may hold a row it has read."""


class Idempotency(Struct, frozen=True):
    """A request's identity: the `key` its sender chose, and a `fingerprint` of the request."""

    key: str
    fingerprint: str


class Behind(Struct, frozen=True, kw_only=True):
    """A write to be acknowledged before the database has it.

    `operation` is what the drain will be given; `value` what reads return (None: the key is gone), without its version,
    which is given by the step. `row_version` is the version of the row as the writer read it, 0 for none. With
    `expected_version` the write is refused unless that is the key's version at this moment.
    """

    key: str
    operation: bytes
    value: bytes | None
    row_version: int
    names: Names
    tags: tuple[str, ...] = ()
    expected_version: int | None = None
    idempotency: Idempotency | None = None


class Accepted(Struct, frozen=True):
    """The write happened, as `version`."""

    version: int


class Replayed(Struct, frozen=True):
    """The same request was accepted before, as `version` with `value`; nothing happened now."""

    version: int
    value: bytes | None


class Outdated(Struct, frozen=True):
    """The key is at `version`, not at the expected one; nothing happened."""

    version: int


class Reused(Struct, frozen=True):
    """The idempotency key belongs to another request; nothing happened."""


Outcome = Accepted | Replayed | Outdated | Reused


class Operation(Struct, frozen=True):
    """An operation that waits in the journal at `position`; `names` are those of the write."""

    position: str
    key: str
    version: int
    operation: bytes
    names: Names


class Journal(Protocol):
    """The port. Every method may raise `Unavailable`; after one with `Happened.UNKNOWN` a write may have happened."""

    def write(self, behind: Behind, invalidation: Invalidation) -> Outcome:
        """Pin the value, append the operation, invalidate and tell the backplane: in one step."""

    def pending(self, limit: int) -> Sequence[Operation]:
        """Return the oldest operations, at most `limit`, in order. They stay until they are drained."""

    def drained(self, operation: Operation, invalidation: Invalidation) -> None:
        """Remove an operation that the database has; unpin its value if it is still of this version; invalidate."""

    def waiting(self) -> int:
        """Return how many operations wait."""
