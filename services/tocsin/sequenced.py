"""Sequenced: the shared level and the journal of the strategies `sequenced` and `strict`, on top of a sequencer.

    Reader, Writer ── addresses, invalidations ──▶ here ── keys, names, ids ──▶ Sequencer

Translation, and the waiting of `strict`:

    announce S ─▶ wait until every holder of a lease has applied S, or L × (1 + drift) has passed ─▶ commit ─▶ finish

What always holds: every load and every write has an id of its own, never a node's: an id that is used twice lets the
end of one write lift another, or an old load fill under a new token. A strict write that could not be announced, or
could not wait, is not committed: `announce` raises.

The wait counts from the reply, on this process's clock, which may run faster than the holder's (`CLOCK_DRIFT`): a lease
that was renewed before the announcement is over by then, and one that is renewed after it has applied S.
"""

from collections.abc import Callable, Mapping, Sequence
from uuid import uuid4

from tocsin.address import Address
from tocsin.clock import CLOCK_DRIFT, Clock
from tocsin.entry import Loaded, Miss
from tocsin.errors import Happened, Unavailable
from tocsin.evidence import names_of
from tocsin.invalidation import Invalidation
from tocsin.journal import Behind, Journal, Operation, Outcome
from tocsin.message import names_in, namespace_name
from tocsin.position import Position
from tocsin.sequencer import Announcement, Given, Holder, Lying, Permitted, Put, Sequencer
from tocsin.shared import NOT_ANNOUNCED, Announced, Filled, Finished, Found, Glimpse, Hit, Load, SharedLevel, Store

ASK_FIRST_S, ASK_LATER_S = 0.001, 0.02


def unique() -> str:
    """Return an id that is used once."""
    return uuid4().hex


class SequencedShared:
    """L2 under a sequencer. `plain` serves what is not sequenced: counters, and whether Redis answers.

    `lease_s` is how long a lease lasts; `strict` makes every write wait for those who hold one. `glimpses`: entries may
    be given to the reader to judge; not with write-behind, whose values lie elsewhere and only a lookup finds.
    """

    def __init__(
        self,
        sequencer: Sequencer,
        plain: SharedLevel,
        *,
        clock: Clock,
        lease_s: float,
        strict: bool,
        glimpses: bool = True,
        identity: Callable[[], str] = unique,
    ) -> None:
        self._sequencer = sequencer
        self._plain = plain
        self._clock = clock
        self._lease_s = lease_s
        self._strict = strict
        self._glimpses = glimpses
        self._identity = identity

    def versions(self, counters: Sequence[str]) -> tuple[int, ...]:
        """Return the value of each counter."""
        return self._plain.versions(counters)

    def bump(self, counter: str) -> int:
        """Raise a namespace's version and invalidate what carries it; return a version that no other caller gets."""
        version = self._plain.bump(counter)
        self._sequencer.finish(self._identity(), [namespace_name(counter.removeprefix("namespace:"))])
        return version

    def lookup(self, address: Address, early_s: float = 0.0) -> Found:
        """Return what L2 holds, or who may load it."""
        found = self._sequencer.lookup(address.key, self._identity(), early_s)
        match found:
            case Given():
                return Hit(found.entry, found.dirty, found.position)
            case Permitted():
                before = found.expired
                if before is None:
                    return Load(found.token)
                return Load(found.token, "stale", "early" if before.ttl_s > 0 else "expired", expired=before)
            case _:
                return found

    def fill(self, address: Address, load: Load, loaded: Loaded, ttl_s: float, stale_s: float = 0.0) -> Filled:
        """Keep what was loaded, unless it was overtaken."""
        assert load.token is not None, "a sequencer's permission has a token"
        kept = self._sequencer.fill(self._put(address, loaded, ttl_s, stale_s), load.token)
        return Filled(kept.stored, kept.position)

    def release(self, address: Address, load: Load) -> None:
        """Give a token back unused."""
        if load.token is not None:
            self._sequencer.release(address.key, load.token)

    def announce(self, invalidation: Invalidation) -> Announced:
        """Number a write that is about to commit; in `strict`, wait until nobody serves what it makes untrue.

        Raises `Unavailable` in `strict`. Otherwise a Redis that can't be reached does not stop the write: its finish,
        or the relay's, invalidates what is there by then.
        """
        names = names_in(invalidation.names)
        writer = self._identity()
        try:
            announcement = self._sequencer.announce(writer, names, strict=self._strict)
        except Unavailable:
            if self._strict:
                raise
            # Only the answer may be lost, and the writer be entered: the finish takes the same name out.
            return Announced(writer)
        if self._strict:
            self._await_holders(announcement)
        return Announced(writer, announcement.position)

    def finish(
        self, invalidation: Invalidation, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Finished:
        """Number the end of a write, and keep its values if nobody else wrote."""
        ended = self._sequencer.finish(
            announced.writer or self._identity(),
            names_in(invalidation.names),
            announced=announced.position,
            puts=[
                self._put(
                    Address(store.key, store.key, namespace=store.namespace), store.loaded, store.ttl_s, store.stale_s
                )
                for store in stores
            ],
        )
        return Finished(ended.position)

    def position(self) -> Position:
        """Return the position as of now."""
        return self._sequencer.position()

    def glimpse(self, addresses: Sequence[Address]) -> Glimpse | None:
        """Return what lies there, if the reader's own slots for it are those of its names."""
        if not self._glimpses:
            return None
        glimpsed = self._sequencer.glimpse([address.key for address in addresses])
        found = [_judgeable(*each) for each in zip(addresses, glimpsed.entries, strict=True)]
        return Glimpse(glimpsed.position, tuple(found))

    def peek(self, addresses: Sequence[Address]) -> list[Hit | Miss]:
        """Return what lies at each of the addresses, without any effect."""
        return [
            found if isinstance(found, Miss) else Hit(found.entry, found.dirty, found.position)
            for found in self._sequencer.peek([address.key for address in addresses])
        ]

    def ping(self) -> None:
        """Return if Redis answers."""
        self._plain.ping()

    def renew(self) -> None:
        """Forget what the parent of a fork had opened."""
        self._plain.renew()

    def close(self) -> None:
        """Close what this process has opened."""
        self._plain.close()

    def _put(self, address: Address, loaded: Loaded, ttl_s: float, stale_s: float) -> Put:
        # In strict no expired value is shown: it may be older than a write that was acknowledged after its end.
        return Put(address.key, loaded, names_of(address, loaded.tags), ttl_s, 0.0 if self._strict else stale_s)

    def _await_holders(self, announcement: Announcement) -> None:
        """Wait until no node may serve what the write makes untrue: each has applied S, or its lease is over.

        In a young epoch holders may be missing from the list, so the whole time is waited.
        """
        over_s = self._clock.now() + self._lease_s * (1 + CLOCK_DRIFT)
        position = announcement.position
        behind = _behind(announcement.holders, position)
        ask_s = ASK_FIRST_S
        while behind or announcement.young:
            # Waits for: the holders of leases to apply this write, or for their leases to be over.
            left_s = over_s - self._clock.now()
            if left_s <= 0:
                for node, holder in behind.items():
                    self._sequencer.retire(node, holder.beats)
                return
            self._clock.pause(min(ask_s, left_s))
            ask_s = min(2 * ask_s, ASK_LATER_S)
            now_behind = _behind(self._sequencer.holders(), position)
            # Who beats after the announcement has the position of after it, and renews only when it has applied it.
            behind = {node: holder for node, holder in behind.items() if node in now_behind}


def _judgeable(address: Address, seen: Lying | Miss | None) -> Hit | Miss | None:
    """Return an entry whose names are those that its reader has slots for.

    Who filled it may have known it under another namespace, at whose slot this reader would not look.
    """
    if not isinstance(seen, Lying):
        return seen
    return Hit(seen.entry, position=seen.base) if seen.names == names_of(address, seen.entry.tags) else None


def _behind(holders: Mapping[str, Holder], position: Position) -> dict[str, Holder]:
    """Return the holders that have not said that they applied `position`."""
    return {node: holder for node, holder in holders.items() if holder.applied < position}


class SequencedJournal:
    """Write-behind under a sequencer: the write is announced before the journal takes it, and finished after.

    What always holds: it is acknowledged only when all three are done. A process that dies in between has acknowledged
    nothing, and the drain finishes again when the row is written.
    """

    def __init__(self, journal: Journal, shared: SequencedShared) -> None:
        self._journal = journal
        self._shared = shared

    def write(self, behind: Behind, invalidation: Invalidation) -> Outcome:
        """Announce, pin and append, finish. Raises `Unavailable`; with `Happened.UNKNOWN` it may have happened."""
        announced = self._shared.announce(invalidation)
        try:
            outcome = self._journal.write(behind, invalidation)
            self._shared.finish(invalidation, (), announced)
        except Unavailable as error:
            raise Unavailable(str(error), detail=error.detail, happened=Happened.UNKNOWN) from error
        return outcome

    def pending(self, limit: int) -> Sequence[Operation]:
        """Return the oldest operations."""
        return self._journal.pending(limit)

    def drained(self, operation: Operation, invalidation: Invalidation) -> None:
        """Remove an operation that the database has, then finish: a load of before may hold the older row."""
        self._journal.drained(operation, invalidation)
        self._shared.finish(invalidation)

    def waiting(self) -> int:
        """Return how many operations wait."""
        return self._journal.waiting()
