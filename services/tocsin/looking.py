"""Looking: reads without a loader, of one key or of many: what is kept is returned, and what is not is not.

    look ─▶ L1, where it is valid ─▶ all that is left in one round trip to L2 ─▶ copies into L1

What always holds: a look gives and takes no permission to load, so it hinders nobody who does. It shows nothing that a
read would not. Redis away is a miss.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Answer, Layer, Miss, Step
from tocsin.errors import Unavailable
from tocsin.explaining import Explanation, Verdict, explained
from tocsin.fetched import Fetched, from_copy
from tocsin.fetching import Fetcher, too_old
from tocsin.freshness import ANYTHING, Demand, doubted
from tocsin.names import check_name
from tocsin.observer import Observer
from tocsin.policy import Policy
from tocsin.shared import Hit
from tocsin.stale import Stale

Look = Answer | tuple[Step, ...]
"""An answer, or the levels that had none, nearest the database first."""


class Looker:
    """Looks for one process."""

    def __init__(self, *, parts: Coherence, clock: Clock, observer: Observer, fetcher: Fetcher) -> None:
        self._parts = parts
        self._clock = clock
        self._observer = observer
        self._fetcher = fetcher
        self._stale = Stale(parts=parts, observer=observer)

    def look(self, keys: Sequence[str], policy: Policy, demand: Demand) -> list[Look]:
        """Return what is kept under each of the keys; raises `ValueError` for a key that can't be one."""
        begun_s = self._clock.now()
        try:
            addresses = self._parts.addressing.resolve(list(map(check_name, keys)), policy)
        except Unavailable as error:
            nothing = (Step(Layer.L2, False, "bypass", detail=error.detail),)
            looks: list[Look] = [nothing] * len(keys)
        else:
            looks = [self._near(address, begun_s, demand) for address in addresses]
            left = [index for index, look in enumerate(looks) if not isinstance(look, Answer)]
            if left:
                self._look_beyond(looks, left, addresses, policy, begun_s, demand)
        spent_s = self._clock.now() - begun_s
        for look in looks:
            if isinstance(look, Answer):
                self._observer.read(look, spent_s)
            else:
                self._observer.missed(look)
        return looks

    def explain(self, key: str, policy: Policy) -> Explanation:
        """Return what the levels have under `key`, each asked whatever the others have; puts nothing anywhere."""
        now_s = self._clock.now()
        try:
            (address,) = self._parts.addressing.resolve((check_name(key),), policy)
        except Unavailable as error:
            return Explanation(key, Verdict.MISS, (Step(Layer.L2, False, "bypass", detail=error.detail),))
        near = self._near(address, now_s, ANYTHING)
        steps = near.steps if isinstance(near, Answer) else near
        beyond: Fetched | None = None
        try:
            (found,) = self._parts.shared.peek([address])
        except Unavailable as error:
            step = Step(Layer.L2, False, "bypass", detail=error.detail)
        else:
            if isinstance(found, Hit):
                beyond = self._fetcher.given(address, found, policy, now_s)
                (step,) = beyond.answer.steps
            else:
                step = Step(Layer.L2, False, found.reason, detail=found.detail)
        if isinstance(near, Answer):
            return explained(key, replace(near, steps=(step, *steps)))
        if beyond is not None:
            return explained(key, beyond.after(steps))
        return Explanation(key, Verdict.MISS, (step, *steps))

    def _near(self, address: Address, now_s: float, demand: Demand) -> Look:
        """Return what L1 has."""
        local = self._parts.local
        if local is None:
            return ()
        found = local.get(address.key, now_s)
        if isinstance(found, Miss):
            return (Step(Layer.L1, False, found.reason, detail=found.detail),)
        doubt = doubted(self._parts.evidence, found, address, now_s, demand)
        return (Step(Layer.L1, False, "stale", detail=doubt),) if doubt else from_copy(found, now_s)

    def _look_beyond(
        self,
        looks: list[Look],
        left: Sequence[int],
        addresses: Sequence[Address],
        policy: Policy,
        begun_s: float,
        demand: Demand,
    ) -> None:
        """Ask L2 for those that are `left`, and put what it has, or why it has nothing, into `looks`."""
        missing: Sequence[Fetched | Hit | Miss | Unavailable]
        if demand.pending:
            missing = [Miss("bypass", "pending")] * len(left)
        else:
            try:
                missing = self._ask([addresses[index] for index in left], policy, begun_s, demand)
            except Unavailable as error:
                missing = [error] * len(left)
        for index, found in zip(left, missing, strict=True):
            address, passed = addresses[index], looks[index]
            assert not isinstance(passed, Answer), "what is left has no answer yet"
            fetched: Fetched | None = None
            match found:
                case Hit() if too_old(found, demand):
                    step = Step(Layer.L2, False, "stale", detail="demand")
                case Hit() | Fetched():
                    fetched = (
                        found if isinstance(found, Fetched) else self._fetcher.given(address, found, policy, begun_s)
                    )
                    self._keep(address, fetched)
                case Miss():
                    step = Step(Layer.L2, False, found.reason, detail=found.detail)
                case Unavailable():
                    fetched = self._stale.unproved(address, policy, begun_s, demand, "redis-unreachable")
                    step = Step(Layer.L2, False, "bypass", detail=found.detail)
            looks[index] = (step, *passed) if fetched is None else fetched.after(passed)

    def _ask(
        self, addresses: Sequence[Address], policy: Policy, begun_s: float, demand: Demand
    ) -> Sequence[Fetched | Hit | Miss]:
        """Return what this node finds true in L2, and of the rest what a script finds; raises `Unavailable`."""
        glimpsed = self._fetcher.glimpser.glimpse(addresses, policy, begun_s, demand)
        unjudged = [address for address, found in zip(addresses, glimpsed, strict=True) if found is None]
        peeked = iter(self._parts.shared.peek(unjudged) if unjudged else ())
        return [next(peeked) if found is None else found for found in glimpsed]

    def _keep(self, address: Address, fetched: Fetched) -> None:
        # Where a place has to be held for a copy (see `flights`), a look has none.
        if self._parts.local is not None and fetched.copy is not None and not self._parts.reserves:
            self._parts.local.put(address.key, fetched.copy)
