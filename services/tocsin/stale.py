"""Stale: what is shown, labelled, instead of making a reader wait, or fail, where its policy allows.

    expired      its time to live is over, nobody invalidated it: another loads its successor, or the database is in
                 trouble
    unproved     L1 holds it, and Redis can't be asked whether it is still true

What always holds: an invalidated value is never shown (hazard 28), nor anything in `strict`; and nothing that is older
than the reader's own policy and demand allow, whatever the policy under which it was kept.
"""

from tocsin.address import Address
from tocsin.coherence import Coherence
from tocsin.entry import Answer, Entry, Layer, Step
from tocsin.fetched import Fetched, from_copy
from tocsin.freshness import Demand
from tocsin.observer import Observer, Spared
from tocsin.policy import Policy
from tocsin.position import Position
from tocsin.shared import Load


class Stale:
    """Shows stale values to the readers of one process."""

    def __init__(self, *, parts: Coherence, observer: Observer) -> None:
        self._parts = parts
        self._observer = observer

    def instead(
        self, address: Address, permission: Load, policy: Policy, now_s: float, demand: Demand
    ) -> Fetched | None:
        """Return an expired value, for a database that is in trouble; never one that was invalidated (hazard 28)."""
        entry, token = permission.expired, permission.token
        if entry is not None and showable(entry, policy, demand):
            # It was good as of the lookup: what came after that is not in it, nor in the watermark.
            return self.ended(entry, None if token is None else token.base, "stale; source-in-trouble")
        return self.unproved(address, policy, now_s, demand, "source-in-trouble")

    def unproved(
        self,
        address: Address,
        policy: Policy,
        now_s: float,
        demand: Demand,
        why: str,
    ) -> Fetched | None:
        """Return what L1 holds though nothing proves it now, if the policy allows its age and nothing refutes it."""
        if self._parts.local is None or policy.stale_s <= 0:
            return None
        entry = self._parts.local.kept(address.key)
        if entry is None or now_s >= entry.expires_s + min(policy.stale_s, demand.max_stale_s):
            return None
        evidence = self._parts.evidence
        if evidence.refutes(entry, demand.at_least) or evidence.untrue_s(entry, now_s) >= demand.max_stale_s:
            return None
        self._observer.spared(Spared.STALE)
        return Fetched(from_copy(entry, now_s, detail=f"stale; {why}"), None)

    def ended(self, entry: Entry, position: Position | None, detail: str) -> Fetched:
        """Show an expired value instead of its successor. It was not invalidated, so it is as new as any hit."""
        self._observer.spared(Spared.STALE)
        step = Step(Layer.L2, True, ttl_s=entry.ttl_s, detail=detail)
        answer = Answer(entry.value, entry.version, Layer.L2, (step,), age_s=entry.age_s, watermark=position)
        return Fetched(answer, None)


def showable(entry: Entry, policy: Policy, demand: Demand) -> bool:
    """Whether a value that ended, and was never invalidated, may be shown by this policy to this reader."""
    return policy.stale_s > 0 and -entry.ttl_s <= min(policy.stale_s, demand.max_stale_s)
