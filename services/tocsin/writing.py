"""Writing: the three steps of every write, the same for all strategies and write paths.

    announce ──▶ the application commits ──▶ finish: L2 is invalidated, the other nodes are told, own L1 is dropped

What always holds:

- `finish` comes after the commit: an entry that is deleted before it is filled again with the old row (hazard 9).
- L2 goes before the own L1. The other way round a reader would copy the old entry back from L2:
  `writer: drop L1 … delete L2`, `reader: … hit in L2, put into L1 …`, stale until it expires.
- A commit whose outcome is unknown is not finished here: the outbox row that is in the same transaction says whether
  it happened, and the relay finishes it if so.
- Redis out of reach does not undo a commit. The write is `pending`, and the relay repeats the finish.
- What was announced must commit before its writer's deadline or not at all; `Write.left_s` says how the database sees
  to that.
"""

import math
from collections.abc import Sequence
from types import TracebackType

from msgspec import Struct

from tocsin.clock import CLOCK_DRIFT, Clock
from tocsin.coherence import Coherence
from tocsin.entry import Loaded
from tocsin.errors import NotConfigured, Unavailable
from tocsin.fetched import Fetched
from tocsin.flights import Flights
from tocsin.invalidation import tag_file
from tocsin.names import Names
from tocsin.observer import Observer
from tocsin.policy import Policy
from tocsin.position import PENDING, Position
from tocsin.settings import CacheSettings, WritePath
from tocsin.shared import NOT_ANNOUNCED, Announced, Store


class Receipt(Struct, frozen=True):
    """What became of an invalidation. `pending`: the other nodes do not know of it yet, and a relay has to tell them.

    `watermark` is what the writer's session has seen with it; None where the strategy numbers nothing.
    """

    pending: bool
    watermark: Position | None = None

    @property
    def sequence(self) -> int | None:
        """The number that the invalidation got, if it got one."""
        return None if self.pending or self.watermark is None else self.watermark.sequence


class Writer:
    """Announces and finishes the writes of one process."""

    def __init__(
        self, *, parts: Coherence, settings: CacheSettings, clock: Clock, observer: Observer, flights: Flights[Fetched]
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self._flights = flights

    def writing(self, names: Names) -> "Write":
        """Return the context in which a write of `names` commits."""
        return Write(self, names)

    def announce(self, names: Names) -> Announced:
        """Tell that a write of `names` is about to commit; raises `Unavailable` if it must not be."""
        return self._parts.shared.announce(self._parts.addressing.invalidation(names))

    def now(self) -> float:
        """Return the time, by the clock of this cache."""
        return self._clock.now()

    def commits_by_s(self, begun_s: float) -> float:
        """Return by when a write that was announced after `begun_s` must have committed; see `Write.left_s`."""
        return begun_s + self._settings.writer_s * (1 - CLOCK_DRIFT) if self._parts.numbers else math.inf

    def finish(
        self, names: Names, source: str, stores: Sequence[Store] = (), announced: Announced = NOT_ANNOUNCED
    ) -> Receipt:
        """Invalidate `names` everywhere; never raises `Unavailable`: such a finish is pending."""
        try:
            finished = self._parts.shared.finish(self._parts.addressing.invalidation(names), stores, announced)
            receipt = Receipt(pending=False, watermark=finished.position)
        except Unavailable:
            receipt = self.pending()
        self.forget(names, receipt.watermark if not receipt.pending else None)
        self._observer.invalidated(names, source)
        return receipt

    def pending(self) -> Receipt:
        """Return the receipt of a write that nobody has been told of."""
        return Receipt(pending=True, watermark=PENDING if self._parts.numbers else None)

    def forget(self, names: Names, position: Position | None = None) -> None:
        """Drop `names` from this process: what is in L1, and loads under way that nobody may join any more.

        `position` is that of their invalidation, if it is known.
        """
        # The flights first. A reader between the two steps may then put an old value into L1, which the second step
        # drops; the other way round it could join an old load after L1 was dropped.
        self._flights.forget(names)
        if self._parts.local is not None:
            self._parts.local.drop(self._parts.evidence.wrote(names, position))

    def store(self, key: str, loaded: Loaded, policy: Policy) -> tuple[Store, ...]:
        """Return what a finish keeps of a committed value: nothing, unless the write path is write-through.

        A key under a namespace's version is left to the next read: its address changes with this very write.
        """
        if self._settings.write_path is not WritePath.WRITE_THROUGH or policy.versioned_by is not None:
            return ()
        return (self.store_of(key, loaded, policy),)

    def store_of(self, key: str, loaded: Loaded, policy: Policy) -> Store:
        """Return what a finish keeps of a value, on whatever write path. Raises `NotConfigured` if it can't be kept."""
        if self._settings.write_path is WritePath.WRITE_BEHIND:
            raise NotConfigured("on the write path 'write-behind' values are written by write_behind, and not set")
        if policy.versioned_by is not None and not self._parts.numbers:
            raise NotConfigured(
                f"{key!r} is under the version of {policy.versioned_by!r}, which is part of its address with strategy"
                f" {self._settings.strategy.value!r}: let a read load it, or choose 'sequenced'"
            )
        ttl_s = policy.ttl_s or self._settings.l2_ttl_s
        if loaded.value is None:
            ttl_s = min(ttl_s, policy.negative_ttl_s)
        filed = tuple(map(tag_file, loaded.tags))
        counter = self._parts.addressing.counter(key)
        return Store(key, counter, filed, loaded, ttl_s, policy.stale_s, policy.versioned_by)


class Write:
    """One write: announced on entering, finished on leaving, with a `receipt` afterwards."""

    def __init__(self, writer: Writer, names: Names) -> None:
        self._writer = writer
        self._names = names
        self._announced = NOT_ANNOUNCED
        self._by_s = math.inf
        self._stores: tuple[Store, ...] = ()
        self._unknown = False
        self._receipt: Receipt | None = None

    def __enter__(self) -> "Write":
        # Before the announcement, from whose arrival in Redis the deadline counts.
        begun_s = self._writer.now()
        self._announced = self._writer.announce(self._names)
        if self._announced.position is not None:
            self._by_s = self._writer.commits_by_s(begun_s)
        return self

    def left_s(self) -> float:
        """Return for how many seconds a commit may still take effect: the time until others stop waiting for it.

        Whoever commits later may write what a reader has since read, and cached, as it was before: `strict` is then not
        linearizable (C6, D4). A look at this number alone can't prevent it, because a process may be stopped between
        the look and the commit. The database must: see that it ends a transaction which is idle for longer than a
        moment, look at this number as the last thing before COMMIT, and roll back if less than that moment is left.
        Infinite where nothing was announced.
        """
        return self._by_s - self._writer.now()

    def committed(
        self,
        *,
        key: str,
        value: bytes | None,
        version: int,
        tags: tuple[str, ...] = (),
        policy: Policy = Policy(),  # noqa: B008 - a frozen value
    ) -> None:
        """Say, after the commit, what `key` is now (`None`: it is gone); write-through keeps it, other paths do not.

        Raises `ValueError` if the write was not announced for `key`.
        """
        if key not in self._names.keys:
            raise ValueError(f"{key!r} was committed, but the write was announced for {self._names.keys}")
        self._stores += self._writer.store(key, Loaded(value, version, tags), policy)

    def kept(self, key: str, loaded: Loaded, policy: Policy) -> None:
        """Say what `key` is now, to be kept in L2 on whatever write path: see `Cache.set`."""
        self._stores += (self._writer.store_of(key, loaded, policy),)

    def unknown(self) -> None:
        """Say that the outcome of the commit is unknown: nothing is finished here, and the receipt is pending."""
        self._unknown = True

    @property
    def receipt(self) -> Receipt:
        """What became of the invalidation; raises `RuntimeError` while the block has not been left."""
        if self._receipt is None:
            raise RuntimeError("a write has its receipt only when its block has been left")
        return self._receipt

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._unknown:
            # A finish now would say "nobody is writing" while the commit may still arrive at the database; a load
            # begun after it could keep the old row (model.md, D3).
            self._receipt = self._writer.pending()
            return
        self._receipt = self._writer.finish(self._names, "write", self._stores, self._announced)
