"""Bypass: the shared level of the strategy `no-cache`, which keeps nothing.

What always holds: every read reaches the database, and no write asks anything of Redis, so this strategy is the
control against which the others are judged, and works with Redis away. Counters and `ping` still reach Redis, for
whoever asks for them by name.
"""

# ruff: noqa: ARG002  # a method takes what its port says, whether or not this adapter needs it

from collections.abc import Sequence

from tocsin.address import Address
from tocsin.entry import Loaded, Miss
from tocsin.invalidation import Invalidation
from tocsin.shared import NOT_ANNOUNCED, Announced, Filled, Finished, Hit, Load, SharedLevel, Store


class Bypassed:
    """A shared level in which nothing is ever found."""

    def __init__(self, shared: SharedLevel) -> None:
        self._shared = shared

    def versions(self, counters: Sequence[str]) -> tuple[int, ...]:
        """Return the counters, from Redis."""
        return self._shared.versions(counters)

    def bump(self, counter: str) -> int:
        """Raise a counter, in Redis."""
        return self._shared.bump(counter)

    def lookup(self, address: Address, early_s: float = 0.0) -> Hit | Load:
        """Return the permission to load."""
        return Load(reason="bypass", detail="no-cache")

    def fill(self, address: Address, load: Load, loaded: Loaded, ttl_s: float, stale_s: float = 0.0) -> Filled:
        """Keep nothing."""
        return Filled(stored=False)

    def release(self, address: Address, load: Load) -> None:
        """Do nothing: there was no permission to ask for."""

    def announce(self, invalidation: Invalidation) -> Announced:
        """Do nothing."""
        return Announced()

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Do nothing: there is nothing to invalidate."""
        return Finished()

    def position(self) -> None:
        """Return None: these strategies number nothing."""

    def glimpse(self, addresses: Sequence[Address]) -> None:
        """Return None: these strategies have nothing to judge by but what a lookup finds."""

    def peek(self, addresses: Sequence[Address]) -> list[Hit | Miss]:
        """Return that nothing is kept."""
        return [Miss("bypass", "no-cache")] * len(addresses)

    def ping(self) -> None:
        """Return if Redis answers."""
        self._shared.ping()

    def renew(self) -> None:
        """Forget what the parent of a fork had opened."""
        self._shared.renew()

    def close(self) -> None:
        """Close what this process has opened."""
        self._shared.close()
