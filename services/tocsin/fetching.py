"""Fetching: one trip beyond L1, to L2 and if need be to the database.

    lookup ── Hit ─────────────────────────────────────────────▶ answer, copy for L1
          ├── Load ─────▶ database ─▶ fill, stored ────────────▶ answer, copy for L1
          │                             └ refused ─────────────▶ answer
          ├── Writing ──▶ database ─▶ position ────────────────▶ answer
          ├── Busy ─────▶ wait for the fill, or take the expired value where the policy allows it, or as Writing
          └── Unavailable ▶ what L1 holds, where the policy allows it, else database ▶ answer

What always holds:

- The loader is called after the lookup and before the fill; its transaction begins inside it (hazard 38).
- A copy carries the position of its lookup, never the node's own, and expires by a clock read before the lookup, so it
  never outlives the entry that it copies (hazard 14).
- A refused fill leaves no copy (C3). Otherwise: lookup at 0, a write s = 1, load the new value, refused, keep it at
  base 0 here: a session that saw it meets the old value on a node that has not applied 1 yet, with a watermark of 0.
- An answer's watermark covers all that the answer shows: for a value from the database without a fill, a position
  read after the database.
"""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Answer, Layer, Loaded, Step
from tocsin.errors import Unavailable
from tocsin.evidence import watermark_of
from tocsin.local import LocalEntry
from tocsin.policy import Policy
from tocsin.position import PENDING, Position
from tocsin.sequencer import Busy, Writing
from tocsin.settings import CacheSettings
from tocsin.shared import Filled, Found, Hit, Load

Loader = Callable[[], Loaded]
"""Reads the database. It is called after the lookup, and must begin its transaction after it was called (hazard 38)."""

PAUSE_MIN_S: Final = 0.002
PAUSE_MAX_S: Final = 0.05


class Fetched(Struct, frozen=True):
    """What a trip brought: the answer without its L1 step, and its copy for L1, if it may be kept and shared."""

    answer: Answer
    copy: LocalEntry | None


class Fetcher:
    """Makes the trips of one process."""

    def __init__(self, *, parts: Coherence, settings: CacheSettings, clock: Clock) -> None:
        self._parts = parts
        self._settings = settings
        self._clock = clock

    def fetch(
        self, address: Address, load: Loader, policy: Policy, begun_s: float, at_least: Position | None = None
    ) -> Fetched:
        """Ask L2, then if need be the database; `begun_s` is a moment before. Raises what `load` raises."""
        if at_least == PENDING:
            # What the session wrote is in the database and nobody has been told: L2 may hold what was before it.
            return self._unkept(address, load(), Step(Layer.L2, False, "bypass", detail="pending"), PENDING)
        try:
            found = self._lookup(address, policy)
        except Unavailable as error:
            step = Step(Layer.L2, False, "bypass", detail=error.detail)
            stale = self._unproved(address, policy, begun_s, at_least)
            return stale or self._alone(address, load(), policy, step, begun_s)
        match found:
            case Hit():
                return self._hit(address, found, policy, begun_s)
            case Load():
                return self._filling(address, found, load(), policy, begun_s)
            case Busy(expired=entry) if entry is not None and policy.stale_s > 0:
                return self._expired(found)
            case Writing() | Busy():
                step = Step(Layer.L2, False, "bypass", detail="writing" if isinstance(found, Writing) else "busy")
                loaded = load()
                return self._unkept(address, loaded, step, self._position())

    def _lookup(self, address: Address, policy: Policy) -> Found:
        """Look up, and wait for another process's fill, at most `join_within_s`."""
        until_s = self._clock.now() + self._settings.join_within_s
        pause_s = PAUSE_MIN_S
        while True:
            found = self._parts.shared.lookup(address)
            if not isinstance(found, Busy) or (found.expired is not None and policy.stale_s > 0):
                return found
            if self._clock.now() >= until_s:
                return found
            # Waits for: the fill by whoever holds the token, or the end of the token.
            self._clock.pause(pause_s)
            pause_s = min(2 * pause_s, PAUSE_MAX_S)

    def _unproved(self, address: Address, policy: Policy, now_s: float, at_least: Position | None) -> Fetched | None:
        """Return what L1 holds though nothing proves it now, if the policy allows its age and nothing refutes it."""
        if self._parts.local is None or policy.stale_s <= 0:
            return None
        entry = self._parts.local.kept(address.key)
        if entry is None or now_s >= entry.expires_s + policy.stale_s or self._parts.evidence.refutes(entry, at_least):
            return None
        return Fetched(from_copy(entry, now_s, detail="stale; redis-unreachable"), None)

    def _position(self) -> Position | None:
        """Return a position that covers what was just read from the database.

        After it: the position of the lookup may lie before a second writer's announcement, whose commit was read.
        """
        try:
            return self._parts.shared.position()
        except Unavailable:
            return PENDING

    def _hit(self, address: Address, hit: Hit, policy: Policy, begun_s: float) -> Fetched:
        entry = hit.entry
        step = Step(Layer.L2, True, ttl_s=entry.ttl_s, detail="dirty" if hit.dirty else None)
        ttl_s = min(policy.l1_ttl_s or self._settings.l1_ttl_s, entry.ttl_s)
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
        )
        return Fetched(answer, copy)

    def _expired(self, found: Busy) -> Fetched:
        """Show the expired value while its successor is loaded. It was not invalidated, so it is as new as any hit."""
        entry = found.expired
        assert entry is not None
        step = Step(Layer.L2, True, ttl_s=entry.ttl_s, detail="expired")
        answer = Answer(entry.value, entry.version, Layer.L2, (step,), age_s=entry.age_s, watermark=found.position)
        return Fetched(answer, None)

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
        copy = None
        if self._parts.evidence.admits(permission, filled):
            base = permission.token.base if permission.token is not None else None
            copy = self._copy(address, loaded, base, loaded_s=begun_s, expires_s=begun_s + self._l1_s(policy, ttl_s))
        return Fetched(self._loaded(address, loaded, step, watermark, stored=filled.stored), copy)

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
        self, address: Address, loaded: Loaded, step: Step, watermark: Position | None, *, stored: bool = False
    ) -> Answer:
        return Answer(
            loaded.value,
            loaded.version,
            Layer.DATABASE,
            (step,),
            stored=stored,
            namespace_version=address.namespace_version,
            watermark=watermark,
        )

    def _ttl_s(self, loaded: Loaded, policy: Policy) -> float:
        ttl_s = policy.ttl_s or self._settings.l2_ttl_s
        return ttl_s if loaded.value is not None else min(ttl_s, policy.negative_ttl_s)

    def _l1_s(self, policy: Policy, ttl_s: float) -> float:
        return min(policy.l1_ttl_s or self._settings.l1_ttl_s, ttl_s)

    def _copy(
        self, address: Address, loaded: Loaded, base: Position | None, *, loaded_s: float, expires_s: float
    ) -> LocalEntry | None:
        """Return a copy for L1, with what its proof needs; None if nothing can be proved here at the moment."""
        slots = self._parts.evidence.slots(address, loaded.tags)
        if slots is None:
            return None
        known = base or Position()
        return LocalEntry(
            value=loaded.value,
            version=loaded.version,
            tags=loaded.tags,
            physical=address.physical,
            namespace=address.namespace,
            namespace_version=address.namespace_version,
            loaded_s=loaded_s,
            expires_s=expires_s,
            epoch=known.epoch,
            base=known.sequence,
            slots=slots,
        )


def from_copy(entry: LocalEntry, now_s: float, detail: str | None = None) -> Answer:
    """Return the answer that an entry of L1 gives."""
    return Answer(
        entry.value,
        entry.version,
        Layer.L1,
        (Step(Layer.L1, True, ttl_s=entry.expires_s - now_s, detail=detail),),
        age_s=now_s - entry.loaded_s,
        namespace_version=entry.namespace_version,
        watermark=watermark_of(entry),
    )
