"""Reading: the path of every read, the same for all strategies.

    resolve address ─▶ L1, if its evidence says valid ─▶ join this process's trip ─▶ a trip of one's own (`fetching`)
         │                                                 and take what is valid
         └─ counter unreadable: load, keep nothing

What always holds:

- Redis can't make a read fail; it turns into a step that says `bypass`. What the loader raises passes through.
- A thread that joined goes alone when the trip it waited for failed, took too long, or brought what it may not use:
  at the moment when it takes it, the result must be valid as an entry of L1 is (C1). Otherwise:
    A: lookup, load v0 ......................................... lands v0, its fill refused
    B:                  write v1 acknowledged; reads, joins A .. gets v0, however long ago v1 was written
- A session's watermark never meets an answer that is older: not in L1, not by joining.
"""

from functools import partial

from msgspec.structs import replace

from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Answer, Layer, Miss, Step
from tocsin.errors import Unavailable
from tocsin.fetched import Fetched, from_copy
from tocsin.fetching import Fetcher
from tocsin.flights import Flights
from tocsin.freshness import ANYTHING, Demand, demand, doubted
from tocsin.glance import Glance
from tocsin.loading import Loader, Loading
from tocsin.looking import Looker
from tocsin.names import check_name
from tocsin.observer import Observer, Spared
from tocsin.policy import Policy
from tocsin.position import Position
from tocsin.protection import Protection
from tocsin.refreshing import Refresher
from tocsin.settings import CacheSettings

DEFAULT_POLICY = Policy()


class Reader:
    """Answers reads for one process."""

    def __init__(
        self, *, parts: Coherence, settings: CacheSettings, clock: Clock, observer: Observer, protection: Protection
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._clock = clock
        self._observer = observer
        self._loading = Loading(settings=settings, clock=clock, observer=observer, trouble=protection.trouble)
        self._fetcher = Fetcher(
            parts=parts,
            settings=settings,
            clock=clock,
            observer=observer,
            loading=self._loading,
            chance=protection.chance,
        )
        self._refresher = Refresher(
            parts=parts, fetcher=self._fetcher, clock=clock, background=protection.background, carry=protection.carry
        )
        self.looker = Looker(parts=parts, clock=clock, observer=observer, fetcher=self._fetcher)
        self._joins = parts.joins and settings.protection.joins
        self.flights: Flights[Fetched] = Flights(clock)
        self.glance = Glance(
            {} if parts.local is None else parts.local.entries,
            prover=parts.evidence,
            now=clock.now,
            tell=observer.glanced,
            beyond=self._value,
        )

    def renew(self) -> None:
        """Begin anew in the child of a fork: no load is under way, and L1 is another."""
        self.flights.renew()
        self._loading.renew()
        self._refresher.renew()
        self.glance.renew()

    def stop(self, within_s: float) -> None:
        """Wait for refreshes under way, at most `within_s` seconds."""
        self._refresher.stop(within_s)

    def read(self, key: str, load: Loader, policy: Policy, demand: Demand = ANYTHING) -> Answer:
        """Return the value of `key` from the nearest level that may answer, else from `load`.

        The answer is as fresh as `demand` wants it. Raises what `load` raises, `LoadRefused` if it may not be called,
        and `ValueError` for a key that can't be one; never `Unavailable`.
        """
        begun_s = self._clock.now()
        answer = self._read(key, load, policy, demand)
        self._observer.read(answer, self._clock.now() - begun_s)
        return answer

    def demand(self, at_least: Position | None, max_stale_s: float | None) -> Demand:
        """Return a demand as this strategy can meet it; raise `ValueError` for one that nobody can."""
        return demand(at_least if self._parts.numbers else None, max_stale_s)

    def _value(
        self,
        key: str,
        default: object,
        policy: Policy | None,
        at_least: Position | None,
        max_stale_s: float | None,
        load: Loader | None,
    ) -> object:
        """Return what the shortest way has not found; without a loader, only what is kept."""
        wanted = self.demand(at_least, max_stale_s)
        if load is not None:
            return self.read(key, load, policy or DEFAULT_POLICY, wanted).value
        (look,) = self.looker.look((key,), policy or DEFAULT_POLICY, wanted)
        return look.value if isinstance(look, Answer) else default

    def _read(self, key: str, load: Loader, policy: Policy, demand: Demand) -> Answer:
        parts = self._parts
        try:
            (address,) = parts.addressing.resolve((key,), policy)
        except Unavailable as error:
            return self._unaddressed(load, policy, error)
        now_s = self._clock.now()
        if parts.local is None:
            return self._beyond(address, load, policy, now_s, (), demand)
        found = parts.local.get(key, now_s)
        if isinstance(found, Miss):
            step = Step(Layer.L1, False, found.reason, detail=found.detail)
        else:
            doubt = doubted(self._parts.evidence, found, address, now_s, demand)
            if not doubt:
                return from_copy(found, now_s)
            step = Step(Layer.L1, False, "stale", detail=doubt)
        return self._beyond(address, load, policy, now_s, (step,), demand)

    def _unaddressed(self, load: Loader, policy: Policy, error: Unavailable) -> Answer:
        """Load without a level: with a version unknown, whatever they hold might be of an older one."""
        loaded = self._loading.run(load, policy.source)
        levels = (Layer.L2,) if self._parts.local is None else (Layer.L2, Layer.L1)
        steps = tuple(Step(layer, False, "bypass", detail=error.detail) for layer in levels)
        return Answer(loaded.value, loaded.version, Layer.DATABASE, steps)

    def _beyond(
        self,
        address: Address,
        load: Loader,
        policy: Policy,
        now_s: float,
        passed: tuple[Step, ...],
        demand: Demand,
    ) -> Answer:
        """Answer from beyond L1: by another thread's trip, or by a trip of one's own."""
        check_name(address.key)
        holds = self._joins or self._parts.reserves
        if not holds or demand.pending:
            return self._done(self._fetch(address, load, policy, now_s, demand), address, load, policy, passed)
        flight, leads = self.flights.board(address)
        if leads:
            fetched, keep = None, None
            try:
                fetched = self._fetch(address, load, policy, now_s, demand)
                keep = partial(self._keep, address, fetched) if self._parts.reserves else None
            finally:
                # Also when the load raised: those aboard must not wait for a result that will never come.
                self.flights.land(address, flight, fetched, keep)
            return self._done(fetched, address, load, policy, passed)
        landed = None
        if self._joins:
            # Waits for: the load of this key by another thread of this process.
            flight.gate.wait(self._settings.join_within_s)
            landed = flight.landed
        if landed is not None and self._usable(landed, address, demand):
            self._observer.spared(Spared.JOINED)
            return replace(landed.after(passed), joined=True)
        fetched = self._fetch(address, load, policy, self._clock.now(), demand)
        return self._done(fetched, address, load, policy, passed)

    def _done(
        self, fetched: Fetched, address: Address, load: Loader, policy: Policy, passed: tuple[Step, ...]
    ) -> Answer:
        """Return the answer of a trip that has landed, and refresh what is due.

        After landing, so that those aboard have the old value by now and do not wait for the new one.
        """
        if fetched.due_s > 0:
            refreshed = self._refresher.refresh(address, load, policy, fetched.due_s)
            if refreshed is None:
                self._observer.spared(Spared.OLD)
            fetched = refreshed or fetched
        return fetched.after(passed)

    def _usable(self, landed: Fetched, address: Address, demand: Demand) -> bool:
        """Whether a thread that joined may take what landed: a refused fill has no copy, and is nobody else's."""
        now_s = self._clock.now()
        if landed.copy is None or now_s >= landed.copy.expires_s:
            return False
        return not doubted(self._parts.evidence, landed.copy, address, now_s, demand)

    def _fetch(self, address: Address, load: Loader, policy: Policy, begun_s: float, demand: Demand) -> Fetched:
        """Make the trip, and keep its copy, unless a place has to be held for it (see `flights`)."""
        fetched = self._fetcher.fetch(address, load, policy, begun_s, demand)
        # A finish that overtakes us here drops nothing, and what we put is old. `versioned` and `sequenced` see that
        # at the next read; for `ttl`, `pubsub` and `pubsub-flush` it is the known hole (hazard 2).
        if not self._parts.reserves:
            self._keep(address, fetched)
        return fetched

    def _keep(self, address: Address, fetched: Fetched) -> None:
        if self._parts.local is not None and fetched.copy is not None:
            self._parts.local.put(address.key, fetched.copy)
