"""Reading: the path of every read, the same for all strategies.

    resolve address ─▶ L1, if its evidence says valid ─▶ join this process's load ─▶ lookup in L2
         │                                                                           │ Hit    ─▶ put into L1
         └─ counter unreadable: load, keep nothing                                   └ Load   ─▶ load, fill, put into L1

What always holds:

- Redis can't make a read fail; it turns into a step that says `bypass`. What the loader raises passes through.
- A value in L1 expires by a clock read *before* L2 was asked, so it never outlives the entry that it copies
  (hazard 14), nor lives longer than its time to live counted from before the load.
- A thread that joined goes alone when the load it waited for failed, took too long, or brought what it may not use.
"""

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Answer, Layer, Loaded, Miss, Step
from tocsin.errors import Unavailable
from tocsin.flights import Flights
from tocsin.local import LocalEntry
from tocsin.names import check_name
from tocsin.observer import Observer
from tocsin.policy import Policy
from tocsin.settings import CacheSettings
from tocsin.shared import Filled, Hit, Load

Loader = Callable[[], Loaded]
"""Reads the database. It is called after the lookup, and must begin its transaction after it was called (hazard 38)."""


class Fetched(Struct, frozen=True):
    """What one trip to L2, and perhaps to the database, brought: the answer without its L1 step, and its copy for L1.

    `shareable`: the copy may be kept in L1, and taken by threads that joined.
    """

    answer: Answer
    copy: LocalEntry
    shareable: bool


class Reader:
    """Answers reads for one process."""

    def __init__(self, *, parts: Coherence, settings: CacheSettings, clock: Clock, observer: Observer) -> None:
        self._parts = parts
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self.flights: Flights[Fetched] = Flights(clock)

    def read(self, key: str, load: Loader, policy: Policy) -> Answer:
        """Return the value of `key` from the nearest level that may answer, else from `load`.

        Raises what `load` raises, and `ValueError` for a key that can't be one; never `Unavailable`.
        """
        begun_s = self._clock.now()
        answer = self._read(key, load, policy)
        self._observer.read(answer, self._clock.now() - begun_s)
        return answer

    def _read(self, key: str, load: Loader, policy: Policy) -> Answer:
        parts = self._parts
        try:
            address = parts.addressing.resolve(key, policy)
        except Unavailable as error:
            return self._unaddressed(load, error)
        now_s = self._clock.now()
        if parts.local is None:
            return self._beyond(address, load, policy, now_s, ())
        found = parts.local.get(key, now_s)
        if isinstance(found, Miss):
            step = Step(Layer.L1, False, found.reason, detail=found.detail)
        else:
            doubt = parts.evidence.doubt(found, address)
            if not doubt:
                return _from_copy(found, now_s)
            step = Step(Layer.L1, False, "stale", detail=doubt)
        return self._beyond(address, load, policy, now_s, (step,))

    def _unaddressed(self, load: Loader, error: Unavailable) -> Answer:
        """Load without a level: with a version unknown, whatever they hold might be of an older one."""
        loaded = load()
        levels = (Layer.L2,) if self._parts.local is None else (Layer.L2, Layer.L1)
        steps = tuple(Step(layer, False, "bypass", detail=error.detail) for layer in levels)
        return Answer(loaded.value, loaded.version, Layer.DATABASE, steps)

    def _beyond(self, address: Address, load: Loader, policy: Policy, now_s: float, passed: tuple[Step, ...]) -> Answer:
        """Answer from beyond L1: by another thread's trip, or by a trip of one's own."""
        check_name(address.key)
        if not self._parts.joins:
            return _after(self._fetch(address, load, policy, now_s), passed)
        flight, leads = self.flights.board(address)
        if leads:
            fetched = None
            try:
                fetched = self._fetch(address, load, policy, now_s)
            finally:
                # Also when the load raised: those aboard must not wait for a result that will never come.
                self.flights.land(address, flight, fetched)
            return _after(fetched, passed)
        # Waits for: the load of this key by another thread of this process.
        flight.gate.wait(self._settings.join_within_s)
        landed = flight.landed
        if landed is not None and self._usable(landed, address):
            age_s = self._clock.now() - landed.copy.loaded_s
            return replace(_after(landed, passed), joined=True, age_s=age_s)
        return _after(self._fetch(address, load, policy, self._clock.now()), passed)

    def _usable(self, landed: Fetched, address: Address) -> bool:
        if not landed.shareable or self._clock.now() >= landed.copy.expires_s:
            return False
        return not self._parts.evidence.doubt(landed.copy, address)

    def _fetch(self, address: Address, load: Loader, policy: Policy, begun_s: float) -> Fetched:
        """Ask L2, then if need be the database; `begun_s` is a moment before."""
        try:
            found: Hit | Load | Unavailable = self._parts.shared.lookup(address)
        except Unavailable as error:
            found = error
        if isinstance(found, Hit):
            fetched = self._hit(address, found, policy, begun_s)
        else:
            fetched = self._load(address, found, load(), policy, begun_s)
        # A finish that overtakes us here drops nothing, and what we put is old. A strategy with more evidence than
        # `Expiry` can see that at the next read; for `ttl` and `pubsub` it is the known hole (hazard 2).
        if self._parts.local is not None and fetched.shareable:
            self._parts.local.put(address.key, fetched.copy)
        return fetched

    def _hit(self, address: Address, hit: Hit, policy: Policy, begun_s: float) -> Fetched:
        entry = hit.entry
        step = Step(Layer.L2, True, detail="dirty") if hit.dirty else Step(Layer.L2, True, ttl_s=entry.ttl_s)
        ttl_s = min(policy.l1_ttl_s or self._settings.l1_ttl_s, entry.ttl_s)
        loaded = Loaded(entry.value, entry.version, entry.tags)
        copy = _copy(address, loaded, loaded_s=begun_s - entry.age_s, expires_s=begun_s + ttl_s)
        answer = Answer(
            entry.value,
            entry.version,
            Layer.L2,
            (step,),
            age_s=entry.age_s,
            namespace_version=address.namespace_version,
        )
        return Fetched(answer, copy, shareable=True)

    def _load(
        self, address: Address, found: Load | Unavailable, loaded: Loaded, policy: Policy, begun_s: float
    ) -> Fetched:
        """Offer to L2 what was loaded, if it was asked before."""
        ttl_s = policy.ttl_s or self._settings.l2_ttl_s
        if loaded.value is None:
            ttl_s = min(ttl_s, policy.negative_ttl_s)
        permission: Load | None = None
        filled = Filled(stored=False)
        if isinstance(found, Unavailable):
            step = Step(Layer.L2, False, "bypass", detail=found.detail)
        else:
            permission = found
            try:
                filled = self._parts.shared.fill(address, found, loaded, ttl_s)
                step = Step(Layer.L2, False, found.reason, ttl_s if filled.stored else None, found.detail)
            except Unavailable as error:
                step = Step(Layer.L2, False, found.reason, detail=error.detail)
        copy_ttl_s = min(policy.l1_ttl_s or self._settings.l1_ttl_s, ttl_s)
        answer = Answer(
            loaded.value,
            loaded.version,
            Layer.DATABASE,
            (step,),
            stored=filled.stored,
            namespace_version=address.namespace_version,
        )
        return Fetched(
            answer,
            _copy(address, loaded, loaded_s=begun_s, expires_s=begun_s + copy_ttl_s),
            shareable=self._parts.evidence.admits(permission, filled),
        )


def _copy(address: Address, loaded: Loaded, *, loaded_s: float, expires_s: float) -> LocalEntry:
    return LocalEntry(
        value=loaded.value,
        version=loaded.version,
        tags=loaded.tags,
        physical=address.physical,
        namespace=address.namespace,
        namespace_version=address.namespace_version,
        loaded_s=loaded_s,
        expires_s=expires_s,
    )


def _from_copy(entry: LocalEntry, now_s: float) -> Answer:
    return Answer(
        entry.value,
        entry.version,
        Layer.L1,
        (Step(Layer.L1, True, ttl_s=entry.expires_s - now_s),),
        age_s=now_s - entry.loaded_s,
        namespace_version=entry.namespace_version,
    )


def _after(fetched: Fetched, passed: tuple[Step, ...]) -> Answer:
    """Return the answer with the steps of the levels that were passed before L2, which stand after it."""
    return replace(fetched.answer, steps=fetched.answer.steps + passed) if passed else fetched.answer
