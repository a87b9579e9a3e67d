"""Fetching: one trip beyond L1, to L2 and if need be to the database.

    glimpse ─ true by this node's evidence ────────────────────▶ answer, copy for L1
       │
    lookup ── Hit ─────────────────────────────────────────────▶ answer, copy for L1
          ├── Load ─────▶ database ─▶ fill, stored ────────────▶ answer, copy for L1
          │                │            └ refused ─────────────▶ answer
          │                └ raises, or may not be asked: the permission is given back; what expired, where the policy
          │                  allows it, else the error
          ├── Writing ──▶ database ─▶ position ────────────────▶ answer
          ├── Busy ─────▶ wait for the fill, or take the expired value where the policy allows it, or as Writing
          └── Unavailable ▶ what L1 holds, where the policy allows it, else database ▶ answer

What always holds:

- The loader is called after the lookup and before the fill; its transaction begins inside it (hazard 38).
- A copy carries the position of its lookup, never the node's own, and expires by a clock read before the lookup, so it
  never outlives the entry that it copies (hazard 14).
- A refused fill leaves no copy (C3). Otherwise: lookup at 0, a write s = 1, load the new value, refused, keep it at
  base 0 here: a session that saw it meets the old value on a node that has not applied 1 yet, with a watermark of 0.
- Who was permitted to load and can't gives the permission back, or the next reader would wait for nobody.
- An answer's watermark covers all that the answer shows: for a value from the database without a fill, a position
  read after the database.
"""

import contextlib
from collections.abc import Callable
from typing import Final

from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Answer, Layer, Loaded, Step
from tocsin.errors import LoadRefused, Unavailable
from tocsin.fetched import Fetched
from tocsin.freshness import ANYTHING, Demand
from tocsin.glimpsing import Glimpser
from tocsin.loading import Loader, Loading
from tocsin.local import Family, LocalEntry
from tocsin.observer import Observer, Spared
from tocsin.policy import Policy
from tocsin.position import PENDING, Position
from tocsin.sequencer import Busy, Writing
from tocsin.settings import CacheSettings
from tocsin.shared import Filled, Found, Hit, Load
from tocsin.stale import Stale, showable

PAUSE_MIN_S: Final = 0.002
PAUSE_MAX_S: Final = 0.05
FAMILIES_KNOWN: Final = 1024
"""Families that are remembered, so that the entries of one share it."""


class Fetcher:
    """Makes the trips of one process."""

    def __init__(
        self,
        *,
        parts: Coherence,
        settings: CacheSettings,
        clock: Clock,
        observer: Observer,
        loading: Loading,
        chance: Callable[[], float],
    ) -> None:
        self._parts = parts
        self._settings = settings
        self._protection = settings.protection
        self._clock = clock
        self._observer = observer
        self._loading = loading
        self._chance = chance
        self._stale = Stale(parts=parts, observer=observer)
        self._families: dict[Family, Family] = {}
        self._last = Position()
        self.glimpser = Glimpser(parts=parts, clock=clock, given=self.given)

    def fetch(
        self, address: Address, load: Loader, policy: Policy, begun_s: float, demand: Demand = ANYTHING
    ) -> Fetched:
        """Ask L2, then if need be the database; `begun_s` is a moment before. Raises what `load` raises."""
        if demand.pending:
            # What the session wrote is in the database and nobody has been told: L2 may hold what was before it.
            loaded = self._loading.run(load, policy.source)
            return self._unkept(address, loaded, Step(Layer.L2, False, "bypass", detail="pending"), PENDING)
        try:
            (glimpsed,) = self.glimpser.glimpse((address,), policy, begun_s, demand)
            if isinstance(glimpsed, Fetched):
                return glimpsed
            found = self._lookup(address, policy, demand)
        except Unavailable as error:
            step = Step(Layer.L2, False, "bypass", detail=error.detail)
            stale = self._stale.unproved(address, policy, begun_s, demand, "redis-unreachable")
            return stale or self._alone(address, self._loading.run(load, policy.source), policy, step, begun_s)
        match found:
            case Hit():
                return self.given(address, found, policy, begun_s)
            case Load():
                return self.loaded(address, found, load, policy, begun_s, demand)
            case Busy(expired=entry) if entry is not None and showable(entry, policy, demand):
                return self._stale.ended(entry, found.position, "expired")
            case Writing() | Busy():
                step = Step(Layer.L2, False, "bypass", detail="writing" if isinstance(found, Writing) else "busy")
                loaded = self._loading.run(load, policy.source)
                return self._unkept(address, loaded, step, self._position())

    def loaded(
        self,
        address: Address,
        permission: Load,
        load: Loader,
        policy: Policy,
        begun_s: float,
        demand: Demand = ANYTHING,
    ) -> Fetched:
        """Load under a permission, and fill; raises what `load` raises, unless something expired may be shown."""
        try:
            loaded = self._loading.run(load, policy.source)
        except BaseException as error:
            # Also when the reader is being ended (a timeout of gevent's, an exit): others must not wait for it.
            with contextlib.suppress(Unavailable):
                self._parts.shared.release(address, permission)
            in_trouble = isinstance(error, (LoadRefused, *self._loading.trouble))
            stale = self._stale.instead(address, permission, policy, begun_s, demand) if in_trouble else None
            if stale is None:
                raise
            return stale
        return self._filling(address, permission, loaded, policy, begun_s)

    def _lookup(self, address: Address, policy: Policy, demand: Demand) -> Found:
        """Look up, and wait for another process's fill, at most `join_within_s`."""
        until_s = self._clock.now() + self._settings.join_within_s
        pause_s = PAUSE_MIN_S
        found = self._parts.shared.lookup(address)
        early_s = 0.0
        if isinstance(found, Hit) and too_old(found, demand):
            # For this reader it ended now; what somebody fills meanwhile has more left, and is not loaded once more.
            early_s = found.entry.ttl_s
            found = self._parts.shared.lookup(address, early_s)
        while True:
            if not isinstance(found, Busy) or (found.expired is not None and showable(found.expired, policy, demand)):
                if pause_s > PAUSE_MIN_S and isinstance(found, Hit):
                    self._observer.spared(Spared.WAITED)
                return found
            if not self._protection.waits or self._clock.now() >= until_s:
                return found
            # Waits for: the fill by whoever holds the token, or the end of the token.
            self._clock.pause(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)
            found = self._parts.shared.lookup(address, early_s)

    def _position(self) -> Position | None:
        """Return a position that covers what was just read from the database.

        After it: the position of the lookup may lie before a second writer's announcement, whose commit was read.
        """
        try:
            return self._parts.shared.position()
        except Unavailable:
            return PENDING

    def given(self, address: Address, hit: Hit, policy: Policy, begun_s: float) -> Fetched:
        """Return what L2 has given, and whether it is due to be refreshed."""
        entry = hit.entry
        step = Step(Layer.L2, True, ttl_s=entry.ttl_s, detail="dirty" if hit.dirty else None)
        early_s = self._early_s(policy, entry.ttl_s + entry.age_s, entry.load_s)
        due_s = entry.ttl_s if entry.ttl_s <= early_s else 0.0
        # Until it is due a copy ends in time for somebody to come back and find it so; then it may live to the end.
        ttl_s = self._l1_s(policy, entry.ttl_s if due_s else entry.ttl_s - early_s)
        loaded = Loaded(entry.value, entry.version, entry.tags)
        copy = self._copy(address, loaded, hit.position, loaded_s=begun_s - entry.age_s, expires_s=begun_s + ttl_s)
        answer = Answer(
            entry.value,
            entry.version,
            Layer.L2,
            (step,),
            age_s=entry.age_s,
            namespace_version=address.namespace_version,
            watermark=hit.position,
            base=hit.position,
            tags=entry.tags,
        )
        return Fetched(answer, copy, due_s)

    def _filling(self, address: Address, permission: Load, loaded: Loaded, policy: Policy, begun_s: float) -> Fetched:
        """Offer to L2 what was loaded under its permission."""
        ttl_s = self._ttl_s(loaded, policy)
        detail = permission.detail
        filled = Filled(stored=False)
        try:
            filled = self._parts.shared.fill(address, permission, loaded, ttl_s, policy.stale_s)
            watermark = filled.position
        except Unavailable as error:
            detail = error.detail
            watermark = self._position() if permission.token is not None else None
        step = Step(Layer.L2, False, permission.reason, ttl_s if filled.stored else None, detail)
        copy = base = None
        if self._parts.evidence.admits(permission, filled):
            base = permission.token.base if permission.token is not None else None
            l1_s = self._l1_s(policy, ttl_s - self._early_s(policy, ttl_s, loaded.load_s))
            copy = self._copy(address, loaded, base, loaded_s=begun_s, expires_s=begun_s + l1_s)
        answer = self._loaded(address, loaded, step, watermark, stored=filled.stored, base=base)
        return Fetched(answer, copy)

    def _alone(self, address: Address, loaded: Loaded, policy: Policy, step: Step, begun_s: float) -> Fetched:
        """Answer without L2, which could not be asked."""
        copy = None
        if self._parts.evidence.admits(None, Filled(stored=False)):
            ttl_s = self._l1_s(policy, self._ttl_s(loaded, policy))
            copy = self._copy(address, loaded, None, loaded_s=begun_s, expires_s=begun_s + ttl_s)
        return Fetched(self._loaded(address, loaded, step, PENDING if self._parts.numbers else None), copy)

    def _unkept(self, address: Address, loaded: Loaded, step: Step, watermark: Position | None) -> Fetched:
        return Fetched(self._loaded(address, loaded, step, watermark), None)

    def _loaded(
        self,
        address: Address,
        loaded: Loaded,
        step: Step,
        watermark: Position | None,
        *,
        stored: bool = False,
        base: Position | None = None,
    ) -> Answer:
        return Answer(
            loaded.value,
            loaded.version,
            Layer.DATABASE,
            (step,),
            stored=stored,
            namespace_version=address.namespace_version,
            watermark=watermark,
            base=base,
            tags=loaded.tags,
        )

    def _ttl_s(self, loaded: Loaded, policy: Policy) -> float:
        ttl_s = policy.ttl_s or self._settings.l2_ttl_s
        return ttl_s if loaded.value is not None else min(ttl_s, policy.negative_ttl_s)

    def _early_s(self, policy: Policy, ttl_s: float, load_s: float) -> float:
        # 1 - chance: a chance is drawn from 0 up to below 1, and the logarithm of 0 is none.
        return self._protection.early_s(policy, ttl_s, load_s, 1.0 - self._chance())

    def _l1_s(self, policy: Policy, ttl_s: float) -> float:
        return min(policy.l1_ttl_s or self._settings.l1_ttl_s, ttl_s)

    def _family(self, family: Family) -> Family:
        """Return the one object for all that are equal to it."""
        known = self._families.get(family)
        if known is None:
            if len(self._families) >= FAMILIES_KNOWN:
                self._families.clear()
            known = self._families[family] = family
        return known

    def _shared_position(self, position: Position) -> Position:
        """Return `position`, its numbers being the objects that the entry before had, where they are equal."""
        last = self._last
        epoch = last.epoch if last.epoch == position.epoch else position.epoch
        sequence = last.sequence if last.sequence == position.sequence else position.sequence
        self._last = Position(epoch, sequence)
        return self._last

    def _copy(
        self, address: Address, loaded: Loaded, base: Position | None, *, loaded_s: float, expires_s: float
    ) -> LocalEntry | None:
        """Return a copy for L1, with what its proof needs; None if nothing can be proved here at the moment."""
        slots = self._parts.evidence.slots(address, loaded.tags)
        if slots is None:
            return None
        known = self._shared_position(base or Position())
        return LocalEntry(
            value=loaded.value,
            version=loaded.version,
            family=self._family(Family(loaded.tags, address.namespace, address.namespace_version)),
            physical=address.physical,
            loaded_s=loaded_s,
            expires_s=expires_s,
            epoch=known.epoch,
            base=known.sequence,
            slots=slots,
        )


def too_old(hit: Hit, demand: Demand) -> bool:
    """Whether L2 gave what may have been untrue for too long: where nothing is numbered, since its load."""
    return hit.position is None and not hit.dirty and hit.entry.age_s >= demand.max_stale_s
