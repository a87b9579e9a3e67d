"""Shared: the port to L2, the level that all nodes share.

                        ┌─ Hit(entry)         L2 has it
    lookup(address) ────┼─ Load(token) ──▶ loader ──▶ fill(address, load, …) ──▶ Filled(stored)
                        ├─ Writing          a write is under way: load, keep nothing        ┐ only where
                        └─ Busy             another load holds the token: wait for its fill ┘ L2 is sequenced

    announce(invalidation) ──▶ commit ──▶ finish(invalidation, stores) ──▶ Finished

What always holds: a lookup answers with a type, never with None, and a loader runs only under the `Load` that a lookup
gave; what an adapter may do with its token is the strategy's business. `finish` is one atomic step (a deletion without
its message, or the reverse, is hazard 10) and may be repeated without harm. Every method but `announce` may raise
`Unavailable`; no other error leaves an adapter. `announce` raises it only if the write must not be committed then.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from tocsin.address import Address
from tocsin.entry import Entry, Loaded, Miss
from tocsin.invalidation import Invalidation
from tocsin.position import Position
from tocsin.sequencer import Busy, Token, Writing


class Hit(Struct, frozen=True):
    """L2 holds the entry. `dirty`: it is a write-behind value that the database does not have yet.

    It was true as of `position`; None where the strategy numbers nothing, as below.
    """

    entry: Entry
    dirty: bool = False
    position: Position | None = None


class Load(Struct, frozen=True):
    """L2 has nothing that may be used: load, and fill under this `token` (None where a strategy has no tokens).

    Whoever can't fill gives it back: `release`. `lock` is the owner's name in a lock of the key, '' where there is
    none. `expired` is what was there before, not invalidated, for those who may show it if the load fails. `reason` and
    `detail` are those of `entry.Step`.
    """

    token: Token | None = None
    reason: str = "uri-miss"
    detail: str | None = None
    lock: str = ""
    expired: Entry | None = None


EARLY = Load(reason="stale", detail="early")
"""What a lookup answers where tokens are none, for an entry that is good still and whose reader wants the next one."""


class Filled(Struct, frozen=True):
    """What became of a fill: `stored`, or refused, as of `position`."""

    stored: bool
    position: Position | None = None


Found = Hit | Load | Writing | Busy
"""What a lookup answers."""


class Store(Struct, frozen=True):
    """A value that is put into L2 within `finish`; where there is a `counter`, under its and its parents' versions."""

    key: str
    counter: str
    filed: tuple[str, ...]
    loaded: Loaded
    ttl_s: float
    stale_s: float = 0.0
    namespace: str | None = None


class Announced(Struct, frozen=True):
    """A writer's announcement: under which name it is entered, and where; nothing, where nothing is announced."""

    writer: str = ""
    position: Position | None = None


NOT_ANNOUNCED = Announced()


class Finished(Struct, frozen=True):
    """The end of a write, told to L2 and to the backplane, at `position`."""

    position: Position | None = None


class Glimpse(Struct, frozen=True):
    """What lay at some addresses when Redis was at `position`.

    A hit is true as of its own position. A miss says that there is no entry, None that a lookup has to judge.
    """

    position: Position
    found: tuple[Hit | Miss | None, ...]


class SharedLevel(Protocol):
    """The port. Keys and counters are given without any prefix; the adapter adds its own."""

    def versions(self, counters: Sequence[str]) -> tuple[int, ...]:
        """Return the value of each counter; one that is missing begins at a number never used before."""

    def bump(self, counter: str) -> int:
        """Raise a counter by one and return its new value; of any number of callers at once, none is lost."""

    def lookup(self, address: Address, early_s: float = 0.0) -> Found:
        """Return what L2 holds at `address`, or the permission to load it.

        An entry with at most `early_s` seconds left counts as expired: so a refresh gets its permission while others
        are given the entry still.
        """

    def fill(self, address: Address, load: Load, loaded: Loaded, ttl_s: float, stale_s: float = 0.0) -> Filled:
        """Keep what was loaded under `load` for `ttl_s` seconds, unless the permission is void by now.

        A level that can tell the expired from the invalidated keeps it `stale_s` longer, for those who would wait.
        """

    def release(self, address: Address, load: Load) -> None:
        """Give a permission back unused, if it is still held: the load failed, and the next reader need not wait."""

    def announce(self, invalidation: Invalidation) -> Announced:
        """Tell that a write of these names is about to commit; only sequenced strategies ask Redis for anything."""

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Apply the invalidation, keep `stores` unless a newer version is there, tell the backplane: in one step."""

    def position(self) -> Position | None:
        """Return the position as of now; None where the strategy numbers nothing."""

    def glimpse(self, addresses: Sequence[Address]) -> Glimpse | None:
        """Return what lies at the addresses for the reader's own evidence to judge, in one round trip without a script.

        None, without asking, where the strategy has no such evidence.
        """

    def peek(self, addresses: Sequence[Address]) -> list[Hit | Miss]:
        """Return what lies at each of the addresses, without any effect, in one round trip for a thousand."""

    def ping(self) -> None:
        """Return if Redis answers."""

    def renew(self) -> None:
        """Forget what the parent of a fork had opened; its connections are not this process's to use or to end."""

    def close(self) -> None:
        """Close what this process has opened; a later call opens it again. Never raises."""
