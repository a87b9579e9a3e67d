"""Cache: the library as an application sees it.

    cache = tocsin.connect(settings)                      composes, opens nothing
    cache.start()                                         in each worker, after the fork
    value = cache.get_or_load("product:1", load, policy)  L1, L2, or load(); `read` says how it came about
    cache.get("product:1"), cache.get_many(keys)          what is kept, without a loader
    cache.invalidate(tags=("toys",))                      keys=, tags=, namespaces=, pattern=, everything=
    with cache.writing(Names(keys=("product:1",))) as write:
        ...commit...
        write.committed(key="product:1", value=body, version=7)

What always holds: a cache that was made before a fork is usable on both sides of it. The child's copy begins empty and
without connections, threads or locks of the parent's, because what it inherited is invalidated by nobody (hazard 34).
"""

import os
from collections.abc import Sequence
from typing import TypeVar
from weakref import WeakSet

from tocsin.backplane import Hearing
from tocsin.behind import WriteBehind
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Answer, Loaded
from tocsin.errors import NotConfigured, Unavailable
from tocsin.explaining import Explanation
from tocsin.invalidation import namespace_counter
from tocsin.journal import Behind, Journal, Operation, Outcome
from tocsin.loading import Loader
from tocsin.local import Levels
from tocsin.names import Names, united
from tocsin.observer import Observer
from tocsin.peeking import Peek, peek
from tocsin.policy import Policy
from tocsin.position import Position
from tocsin.protection import Protection
from tocsin.reading import Reader
from tocsin.settings import CacheSettings, WritePath
from tocsin.writing import Receipt, Write, Writer

DEFAULT_POLICY = Policy()
NOTHING = Names()

T = TypeVar("T")


class Cache:
    """A two-level cache under one strategy; made by `tocsin.connect`."""

    def __init__(
        self,
        *,
        parts: Coherence,
        journal: Journal,
        settings: CacheSettings,
        clock: Clock,
        observer: Observer,
        protection: Protection,
    ) -> None:
        self.settings = settings
        self._parts = parts
        self._clock = clock
        self._observer = observer
        self._reader = Reader(parts=parts, settings=settings, clock=clock, observer=observer, protection=protection)
        # The method itself, in place of the one below that calls it: a fifth of a hit is a call.
        self.get = self._reader.glance.get  # type: ignore[method-assign]
        self._writer = Writer(
            parts=parts, settings=settings, clock=clock, observer=observer, flights=self._reader.flights
        )
        self._behind = WriteBehind(parts=parts, journal=journal, writer=self._writer, observer=observer)
        _living.add(self)

    def start(self) -> None:
        """Start the listener, where the strategy has one; twice in one process is once. Call it after the fork."""
        self._parts.backplane.start(self._hear)

    def stop(self, within_s: float = 2.0) -> None:
        """End refreshes and the listener, waiting at most `within_s` seconds for each, and close the connections."""
        self._reader.stop(within_s)
        self._parts.backplane.stop(within_s)
        self._parts.shared.close()

    def read(
        self,
        key: str,
        load: Loader,
        policy: Policy = DEFAULT_POLICY,
        *,
        at_least: Position | None = None,
        max_stale: float | None = None,
    ) -> Answer:
        """Return the value of `key`, from the nearest level that may answer, else from `load()`.

        With `at_least`, the watermark of an earlier answer or receipt, the answer is no older than what that showed:
        read-your-writes, and monotonic reads, on whichever node. It is ignored by strategies that number nothing.
        With `max_stale`, it has not been untrue for more than so many seconds (`tocsin.freshness`); 0 is as of now.
        Raises what `load` raises, `LoadRefused` if it may not be called (`tocsin.loading`), and `ValueError` for a key
        that can't be one. Redis can't make it fail.
        """
        return self._reader.read(key, load, policy, self._reader.demand(at_least, max_stale))

    def get_or_load(
        self,
        key: str,
        load: Loader,
        policy: Policy = DEFAULT_POLICY,
        *,
        at_least: Position | None = None,
        max_stale: float | None = None,
    ) -> bytes | None:
        """Return only the value of `read`; None says that the key is known not to be there.

        A hit in L1 takes the shortest way, on which no answer is made and none told, unless something is demanded.
        """
        value: bytes | None = self._reader.glance.get(key, None, policy, at_least, max_stale, load)
        return value

    def get(
        self,
        key: str,
        default: T | None = None,
        policy: Policy = DEFAULT_POLICY,
        *,
        at_least: Position | None = None,
        max_stale: float | None = None,
    ) -> bytes | T | None:
        """Return what is kept under `key`, else `default`; None for a key that is known not to be there.

        The database is not asked, and nobody is hindered who asks it. Redis can't make it fail.
        """
        value: bytes | T | None = self._reader.glance.get(key, default, policy, at_least, max_stale)
        return value

    def get_many(
        self,
        keys: Sequence[str],
        policy: Policy = DEFAULT_POLICY,
        *,
        at_least: Position | None = None,
        max_stale: float | None = None,
    ) -> dict[str, bytes | None]:
        """Return what is kept under those of the keys under which something is, in one round trip for all L1 lacks."""
        looks = self._reader.looker.look(keys, policy, self._reader.demand(at_least, max_stale))
        return {key: look.value for key, look in zip(keys, looks, strict=True) if isinstance(look, Answer)}

    def set(
        self,
        key: str,
        value: bytes | None,
        policy: Policy = DEFAULT_POLICY,
        *,
        version: int = 0,
        tags: Sequence[str] = (),
    ) -> Receipt:
        """Keep `value` in L2 as what `key` is from now on, and invalidate what all others hold of it.

        For values whose truth is here, or known to the caller to be newer than any load that is under way: loads that
        began before are not kept after it. Of two that set at once, under `sequenced`, neither may be kept. A receipt
        that is `pending` says that Redis could not be reached, and nothing is kept. Raises `NotConfigured` on the write
        path `write-behind`, and for a key under a namespace's version where that is part of the address.
        """
        with self._writer.writing(Names(keys=(key,))) as write:
            write.kept(key, Loaded(value, version, tuple(tags)), policy)
        return write.receipt

    def delete(self, key: str) -> Receipt:
        """Forget `key` on all nodes: the next read loads it. The same as `invalidate(keys=(key,))`."""
        return self.invalidate(keys=(key,))

    def position(self) -> Position | None:
        """Return the position as of now, which covers every write that is finished; None where nothing is numbered.

        Raises `Unavailable`.
        """
        return self._parts.shared.position() if self._parts.numbers else None

    def writing(self, names: Names) -> Write:
        """Return the context in which a write that changes `names` commits: see `tocsin.writing`."""
        return self._writer.writing(names)

    def invalidate(
        self,
        names: Names | None = None,
        *,
        keys: Sequence[str] = (),
        tags: Sequence[str] = (),
        namespaces: Sequence[str] = (),
        pattern: str = "",
        everything: bool = False,
    ) -> Receipt:
        """Forget what is named, on all nodes, after somebody changed what it stands for; `names` may be given instead.

        `pattern` is a whole prefix, such as `product:*`, which costs what a key costs; the strategies that tell key by
        key (`pubsub`, `pubsub-flush`, `tracking`) search for any other (`tocsin.glob`), and elsewhere it raises
        `NotConfigured`, which names tags. Raises `ValueError` for nothing, or for what can't be a name; `names` that
        somebody made may be empty, and the receipt's watermark then is that of now.
        """
        every = everything or pattern == "*"
        patterns = (pattern,) if pattern and not every else ()
        given = Names(tuple(keys), tuple(tags), tuple(namespaces), every, patterns)
        if names is None and given == NOTHING:
            raise ValueError("nothing to invalidate: give keys, tags, namespaces, a pattern, or everything=True")
        return self._writer.finish(given if names is None else united((names, given)), "call")

    def explain(self, key: str, policy: Policy = DEFAULT_POLICY) -> Explanation:
        """Return what the next read of `key` in this process would find, level by level, and why; changes nothing."""
        return self._reader.looker.explain(key, policy)

    def finish_again(self, names: Names) -> Receipt:
        """Repeat the finish of a write that is pending, or whose writer died; harmless if it was finished before."""
        return self._writer.finish(names, "relay")

    def write_behind(self, behind: Behind) -> Outcome:
        """Acknowledge a write before the database has it; see `tocsin.journal` for the outcomes.

        Raises `Unavailable`, and `NotConfigured` on another write path, as do the next three.
        """
        return self._write_behind().write(behind)

    def pending(self, limit: int) -> Sequence[Operation]:
        """Return the oldest operations that the database does not have yet, at most `limit`, in order."""
        return self._write_behind().pending(limit)

    def drained(self, operation: Operation) -> None:
        """Say, after the commit, that the database has `operation`; safe to repeat."""
        self._write_behind().drained(operation)

    def waiting(self) -> int:
        """Return how many operations the database does not have yet."""
        return self._write_behind().waiting()

    def version(self, namespace: str) -> int:
        """Return the version of a namespace; raises `Unavailable`."""
        (version,) = self._parts.shared.versions((namespace_counter(namespace),))
        return version

    def bump(self, namespace: str) -> int:
        """Raise the version of a namespace, which orphans all its keys, and return it; raises `Unavailable`."""
        return self._parts.shared.bump(namespace_counter(namespace))

    def peek(self, key: str, policy: Policy = DEFAULT_POLICY) -> Peek:
        """Return what the levels hold of `key`, with no effect on entries; raises `Unavailable`."""
        return peek(self._parts, key, policy, self._clock.now())

    def hearing(self) -> Hearing:
        """Return whether this process hears invalidations, where its strategy needs to."""
        return self._parts.backplane.hearing()

    def ping(self) -> bool:
        """Return whether Redis answers."""
        try:
            self._parts.shared.ping()
        except Unavailable:
            return False
        return True

    def levels(self) -> Levels:
        """Return how full L1 is."""
        return Levels(entries=0, bytes=0) if self._parts.local is None else self._parts.local.levels()

    def _write_behind(self) -> WriteBehind:
        if self.settings.write_path is not WritePath.WRITE_BEHIND:
            raise NotConfigured(
                f"write-behind was asked of a cache whose write path is {self.settings.write_path.value!r}:"
                " choose WritePath.WRITE_BEHIND"
            )
        return self._behind

    def _hear(self, names: Names) -> None:
        self._writer.forget(names)

    def _begin_anew(self) -> None:
        """Forget, in the child of a fork, all that belongs to the parent."""
        self._parts.backplane.renew()
        self._parts.shared.renew()
        if self._parts.local is not None:
            self._parts.local.renew()
            self._parts.evidence.renew()
        self._reader.renew()


_living: WeakSet[Cache] = WeakSet()


def _after_fork_in_child() -> None:
    for cache in list(_living):
        cache._begin_anew()


os.register_at_fork(after_in_child=_after_fork_in_child)
