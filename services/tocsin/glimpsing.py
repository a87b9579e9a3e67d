"""Glimpsing: entries of L2 read by plain commands, and judged here as those of L1 are.

    TIME, MGET epoch, sequence, entries ─▶ this node has applied that sequence, and its table finds the entry true
                                        │      └─▶ answer, copy for L1
                                        └▶ anything else: a lookup has to judge

A script costs Redis ten times what a GET does, and a read in L2 is what it is asked for most. What a lookup's script
asks of the marks, this node's table knows as soon as it has applied the sequence that came with the entry: every mark
up to there has its slot. And it knows more than a server that came back from a snapshot does (C9).

What always holds: nothing is given that a lookup at that moment would not have given, and nothing that L1 would not
give: the entry's own base, this node's lease, asked after it was read; a session that has seen more looks it up.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.entry import Miss
from tocsin.evidence import watermark_of
from tocsin.fetched import Fetched
from tocsin.freshness import Demand, doubted
from tocsin.policy import Policy
from tocsin.shared import Hit

_Given = Callable[[Address, Hit, Policy, float], Fetched]


class Glimpser:
    """Glimpses for one process. `given` makes an answer and a copy of what L2 has."""

    def __init__(self, *, parts: Coherence, clock: Clock, given: _Given) -> None:
        self._parts = parts
        self._clock = clock
        self._given = given

    def glimpse(
        self, addresses: Sequence[Address], policy: Policy, begun_s: float, demand: Demand
    ) -> Sequence[Fetched | Miss | None]:
        """Return what lies in L2 and may be given, in one round trip for all.

        A miss says that nothing lies there, None that a lookup has to judge. Raises `Unavailable`.
        """
        evidence = self._parts.evidence
        if demand.pending or not evidence.judges(begun_s):
            return (None,) * len(addresses)
        glimpse = self._parts.shared.glimpse(addresses)
        # The sequence, then the slots. Without it (P1):
        #   reader: entry with a tag, base 6 ............................. slot of the tag = 0 → visible in L2 after 7
        #   writer: 7 invalidates the tag ... finished      agent: has not heard of 7 yet
        if glimpse is None or not evidence.covers(glimpse.position):
            return (None,) * len(addresses)
        # After the reply. Before it:
        #   reader: lease live, slot = 0 ...................................... reply: v1 → answers v1
        #   agent:                        slot = 7, applied = 7; a strict writer waits no more, commits v2
        now_s = self._clock.now()
        return [
            self._judged(address, hit, policy, begun_s, now_s, demand) if isinstance(hit, Hit) else hit
            for address, hit in zip(addresses, glimpse.found, strict=True)
        ]

    def _judged(
        self, address: Address, hit: Hit, policy: Policy, begun_s: float, now_s: float, demand: Demand
    ) -> Fetched | None:
        fetched = self._given(address, hit, policy, begun_s)
        copy = fetched.copy
        if copy is None or doubted(self._parts.evidence, copy, address, now_s, demand):
            return None
        return replace(fetched, answer=replace(fetched.answer, watermark=watermark_of(copy)))
