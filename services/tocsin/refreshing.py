"""Refreshing: a new value for an entry that is good still, by one reader, while the others are given the old one.

    hit, due ─▶ submit ─▶ lookup "as if it ended now" ─▶ Load: loader ─▶ fill ─▶ L1
                                                        ├─ Hit: another process was faster; its value, into L1
                                                        └─ Busy, Writing: another loads, or writes; nothing to do

What always holds:

- A refresh is a load: it takes a token, its loader runs after the lookup, and an invalidation in between makes its fill
  refused (hazard 29). It is nobody's flight, so no reader can join a load that began before a write it has seen.
- A refresh that fails leaves the old value where it is, gives its token back and raises nothing: the entry is good
  until its end, and there the next reader loads as ever.
"""

from tocsin.address import Address
from tocsin.background import Background, OnReader
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.errors import Unavailable
from tocsin.fetched import Fetched
from tocsin.fetching import Fetcher
from tocsin.loading import Loader
from tocsin.policy import Policy
from tocsin.protection import Carry
from tocsin.shared import Hit, Load


class Refresher:
    """Refreshes for one process."""

    def __init__(
        self,
        *,
        parts: Coherence,
        fetcher: Fetcher,
        clock: Clock,
        background: Background | None,
        carry: Carry,
    ) -> None:
        self._parts = parts
        self._fetcher = fetcher
        self._clock = clock
        self._on_reader = OnReader(clock)
        self._elsewhere = background
        self._carry = carry

    def renew(self) -> None:
        """Begin anew in the child of a fork."""
        self._on_reader.renew()
        if self._elsewhere is not None:
            self._elsewhere.renew()

    def stop(self, within_s: float) -> None:
        """Wait for refreshes under way, at most `within_s` seconds."""
        if self._elsewhere is not None:
            self._elsewhere.stop(within_s)

    def refresh(self, address: Address, load: Loader, policy: Policy, left_s: float) -> Fetched | None:
        """Let one reader refresh an entry that had `left_s` left; return what that brought, if it was this one."""
        brought: list[Fetched] = []

        def work() -> None:
            fetched = self._trip(address, load, policy, left_s)
            if fetched is not None:
                brought.append(fetched)

        if self._elsewhere is None or policy.thread_bound:
            self._on_reader.submit(address.physical, work)
        else:
            self._elsewhere.submit(address.physical, self._carry(work))
        return brought[0] if brought else None

    def _trip(self, address: Address, load: Loader, policy: Policy, left_s: float) -> Fetched | None:
        begun_s = self._clock.now()
        try:
            found = self._parts.shared.lookup(address, left_s)
        except Unavailable:
            return None
        match found:
            case Hit():
                fetched = self._fetcher.given(address, found, policy, begun_s)
            case Load():
                try:
                    fetched = self._fetcher.loaded(address, found, load, policy, begun_s)
                except Exception:  # noqa: BLE001  # the observer was told; the old value is good, and was given
                    return None
            case _:
                return None
        # Where a place has to be held (see `flights`), a refresh has none: the next read takes the value from L2.
        if self._parts.local is not None and fetched.copy is not None and not self._parts.reserves:
            self._parts.local.put(address.key, fetched.copy)
        return fetched
