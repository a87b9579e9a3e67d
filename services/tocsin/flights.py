"""Flights: loads under way in this process, so that one miss of a popular key costs one load (single-flight).

    thread A: board ─ leads ── lookup ── load ── fill ── land
    thread B:    board ─ joins ───── wait ────────────┘ takes A's result, or goes alone

What always holds: at most one flight per address can be boarded; whoever leads lands, whatever happens; a wait has a
bound, after which the waiting thread goes alone. A flight that was forgotten still lands for those already aboard,
but nobody boards it any more:

    A: board, load v1 ........................................ land v1
    B:                 write v2, finish, forget
    C:                                            read: must not get v1

A flight is also what Redis' documents on client-side caching call a placeholder: its result may be kept only
if it was not forgotten, which is decided in the same step in which a message forgets it:

    A: board, hit v1 in L2 ..................................................... keeps v1: stale until it expires
    B:                      write v2, finish ─▶ A's listener: forget, drop from L1: nothing is there yet
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.names import Names

Result = TypeVar("Result")


class Flight(Generic[Result]):
    """One load under way; `landed` is its result once the gate is open, or None if the load failed."""

    def __init__(self, key: str, clock: Clock) -> None:
        self.key = key
        self.gate = clock.gate()
        self.landed: Result | None = None


class Flights(Generic[Result]):
    """The loads under way in one process, by physical address."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.renew()

    def renew(self) -> None:
        """Begin anew, in the child of a fork: the threads that would land did not survive it."""
        self._lock = self._clock.lock()
        self._flights: dict[str, Flight[Result]] = {}

    def board(self, address: Address) -> tuple[Flight[Result], bool]:
        """Return the flight for `address`, and whether the caller leads it and so must `land` it."""
        with self._lock:
            flight = self._flights.get(address.physical)
            if flight is not None:
                return flight, False
            flight = self._flights[address.physical] = Flight(address.key, self._clock)
            return flight, True

    def land(
        self,
        address: Address,
        flight: Flight[Result],
        result: Result | None,
        keep: Callable[[], object] | None = None,
    ) -> None:
        """End a flight and wake those aboard; None tells them that they must go alone.

        `keep` is called if the flight was not forgotten. Whoever forgets it later finds what it kept.
        """
        flight.landed = result
        with self._lock:
            # It may be forgotten, and a newer flight to the same address have begun: that one is not ours to end.
            if self._flights.get(address.physical) is flight:
                del self._flights[address.physical]
                if keep is not None:
                    keep()  # under the lock: between the look and this step a message could forget us, and drop nothing
        flight.gate.open()

    def forget(self, names: Names) -> None:
        """Let nobody board a flight that began before this invalidation.

        The tags of a value are known only after its load (hazard 24), so a tag or a namespace concerns every flight.
        """
        with self._lock:
            if names.tags or names.namespaces or names.patterns or names.everything:
                self._flights.clear()
                return
            for physical in [physical for physical, flight in self._flights.items() if flight.key in names.keys]:
                del self._flights[physical]
