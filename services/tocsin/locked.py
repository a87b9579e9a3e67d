"""Locked: a shared level in which one process at a time loads a key, by a lock of the key in Redis.

    lookup ─▶ miss ─▶ take the lock ─▶ taken: look again ─▶ Hit, lock released │ Load, with the lock
                                    └▶ another's: Busy

For strategies without fill tokens. What always holds: the lock spares loads and proves nothing. It ends by itself, so a
holder that is paused past its end fills beside the next one, as it would without any lock (hazard 20); where that is a
late fill, it is one that the strategy does not prevent anyhow. Only its owner releases it:

    A: takes it, loads for longer than it lasts ............... releases: by key alone, B's
    B:                                            takes it, loads
    C:                                                                     takes it, loads beside B
"""

from collections.abc import Callable, Sequence
from typing import Protocol
from uuid import uuid4

from msgspec.structs import replace

from tocsin.address import Address
from tocsin.entry import Loaded, Miss
from tocsin.invalidation import Invalidation
from tocsin.position import Position
from tocsin.sequencer import Busy
from tocsin.shared import NOT_ANNOUNCED, Announced, Filled, Finished, Found, Glimpse, Hit, Load, SharedLevel, Store

ELSEWHERE = Busy(None, None)


class Locks(Protocol):
    """The port: locks by name, each with an end. Both steps are atomic, and may raise `Unavailable`."""

    def take(self, name: str, owner: str, ttl_s: float) -> bool:
        """Take the lock of `name` for `owner`, for at most `ttl_s` seconds; return whether it was free."""

    def release(self, name: str, owner: str) -> bool:
        """Release the lock of `name` if it is `owner`'s; return whether it was."""


def unique() -> str:
    """Return an owner for one load."""
    return uuid4().hex


class LockedShared:
    """`plain`, with a lock around its loads that lasts `lock_s`."""

    def __init__(
        self, plain: SharedLevel, locks: Locks, *, lock_s: float, identity: Callable[[], str] = unique
    ) -> None:
        self._plain = plain
        self._locks = locks
        self._lock_s = lock_s
        self._identity = identity

    def versions(self, counters: Sequence[str]) -> tuple[int, ...]:
        """Return the value of each counter."""
        return self._plain.versions(counters)

    def bump(self, counter: str) -> int:
        """Raise a counter."""
        return self._plain.bump(counter)

    def lookup(self, address: Address, early_s: float = 0.0) -> Found:
        """Return what L2 holds, or who may load it."""
        found = self._plain.lookup(address, early_s)
        if not isinstance(found, Load):
            return found
        owner = self._identity()
        if not self._locks.take(address.physical, owner, self._lock_s):
            return ELSEWHERE
        # Again, because a holder may have filled and released between our two steps:
        #   A: miss, lock .......... fill, release
        #   B:               miss ................. lock: without this look B loads what is there
        found = self._plain.lookup(address, early_s)
        if isinstance(found, Load):
            return replace(found, lock=owner)
        self._locks.release(address.physical, owner)
        return found

    def fill(self, address: Address, load: Load, loaded: Loaded, ttl_s: float, stale_s: float = 0.0) -> Filled:
        """Keep what was loaded, whoever has the lock by now, and release it if it is ours."""
        filled = self._plain.fill(address, load, loaded, ttl_s, stale_s)
        self.release(address, load)
        return filled

    def release(self, address: Address, load: Load) -> None:
        """Release the lock, if it is ours still."""
        self._plain.release(address, load)
        if load.lock:
            self._locks.release(address.physical, load.lock)

    def announce(self, invalidation: Invalidation) -> Announced:
        """As the plain level does."""
        return self._plain.announce(invalidation)

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """As the plain level does: a lock keeps no writer out."""
        return self._plain.finish(invalidation, stores, announced)

    def position(self) -> Position | None:
        """As the plain level does."""
        return self._plain.position()

    def glimpse(self, addresses: Sequence[Address]) -> Glimpse | None:
        """Return what the plain level has."""
        return self._plain.glimpse(addresses)

    def peek(self, addresses: Sequence[Address]) -> list[Hit | Miss]:
        """Return what lies at the addresses, without taking a lock."""
        return self._plain.peek(addresses)

    def ping(self) -> None:
        """Return if Redis answers."""
        self._plain.ping()

    def renew(self) -> None:
        """Forget what the parent of a fork had opened."""
        self._plain.renew()

    def close(self) -> None:
        """Close what this process has opened."""
        self._plain.close()
