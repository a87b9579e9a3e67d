"""Glimpsing: entries of L2 read by plain commands, and judged here as those of L1 are.

    TIME, MGET entries, HMGET marks ─▶ untouched there, and true by this node's own table ─▶ answer, copy for L1
                                    └▶ anything else: a lookup has to judge

A script costs Redis ten times what a GET does, and a read in L2 is what it is asked for most. What a lookup's script
asks is asked here in two halves. The marks come with the entry. That the server is the one whose marks these are, and
not one that came back from a snapshot, is proved by the table: it remembers what was invalidated (C9).

Which marks, must be known before: those of the key's prefix and namespace are; of tags those that L1 remembers of the
key, and those seen lately under its prefix. An entry with another tag costs a second trip, and where tags vary too much
to be guessed none is tried.

What always holds: a glimpsed entry is given as one of L1 would be: its own base, this node's lease, asked after it was
read; a session that has seen more looks it up.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Final

from msgspec.structs import replace

from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Miss
from tocsin.evidence import watermark_of
from tocsin.fetched import Fetched
from tocsin.freshness import Demand, doubted
from tocsin.glob import prefix_of
from tocsin.policy import Policy
from tocsin.shared import Hit

TAGS_GUESSED: Final = 8
"""Tags of one prefix that are asked for at once: a field of a hash each, less than a microsecond for all."""
PREFIXES_MAX: Final = 1024
_Given = Callable[[Address, Hit, Policy, float], Fetched]


class Glimpser:
    """Glimpses for one process. `given` makes an answer and a copy of what L2 has."""

    def __init__(self, *, parts: Coherence, clock: Clock, given: _Given) -> None:
        self._parts = parts
        self._clock = clock
        self._given = given
        self._seen: dict[str, tuple[str, ...] | None] = {}

    def glimpse(
        self, addresses: Sequence[Address], policy: Policy, begun_s: float, demand: Demand
    ) -> list[Fetched | Miss | None]:
        """Return what lies in L2 and may be given, in one round trip for all.

        A miss says that nothing lies there, None that a lookup has to judge. Raises `Unavailable`.
        """
        found: list[Fetched | Miss | None] = [None] * len(addresses)
        if demand.pending or not self._parts.evidence.judges(begun_s):
            return found
        guesses = [self._tags(address) for address in addresses]
        asked = [index for index, tags in enumerate(guesses) if tags is not None]
        if not asked:
            return found
        tags = {tag for guess in guesses if guess is not None for tag in guess}
        hits = self._parts.shared.glimpse([addresses[index] for index in asked], tags)
        # After the reply. Before it:
        #   reader: lease live, slot = 0 ...................................... reply: v1 → answers v1
        #   agent:                        slot = 7, applied = 7; a strict writer waits no more, commits v2
        now_s = self._clock.now()
        for index, hit in zip(asked, hits, strict=True):
            if isinstance(hit, Hit):
                found[index] = self._judged(addresses[index], hit, policy, begun_s, now_s, demand)
            else:
                found[index] = hit
        return found

    def learn(self, address: Address, tags: tuple[str, ...]) -> None:
        """Take note of the tags of an entry, for guesses at its neighbours'."""
        prefix = prefix_of(address.key)
        seen = self._seen.get(prefix, ())
        if seen is None or all(tag in seen for tag in tags):
            return
        if len(self._seen) >= PREFIXES_MAX:
            self._seen.clear()
        # Two threads may learn at once and one of them in vain: that costs a trip.
        merged = (*seen, *(tag for tag in tags if tag not in seen))
        self._seen[prefix] = merged if len(merged) <= TAGS_GUESSED else None

    def _tags(self, address: Address) -> Collection[str] | None:
        """Return the tags that an entry may carry; None if there is no guessing."""
        kept = None if self._parts.local is None else self._parts.local.kept(address.key)
        seen = self._seen.get(prefix_of(address.key), ())
        if kept is None:
            return seen
        return kept.family.tags if seen is None else (*seen, *kept.family.tags)

    def _judged(
        self, address: Address, hit: Hit, policy: Policy, begun_s: float, now_s: float, demand: Demand
    ) -> Fetched | None:
        fetched = self._given(address, hit, policy, begun_s)
        copy = fetched.copy
        if copy is None or doubted(self._parts.evidence, copy, address, now_s, demand):
            return None
        return replace(fetched, answer=replace(fetched.answer, watermark=watermark_of(copy)))
