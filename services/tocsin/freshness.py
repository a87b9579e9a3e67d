"""Freshness: what one read demands beyond what the strategy promises to all.

    cache.get_or_load("product:1", load, at_least=receipt.watermark)    nothing older than what this session has seen
    cache.get_or_load("product:1", load, max_stale=0.2)                 nothing that may have been untrue for longer

How long a value may have been untrue is known to the strategy, and is not its age: a `sequenced` node that proved a
moment ago that it has heard everything shows an hour-old value as of that moment, and L2 is asked as of now. Where
nobody proves anything (`ttl`, `pubsub`, …) all that is known is the age: since its load the row may have changed.

What always holds: a demand only refuses. It shows nobody what the policy would not.
"""

import math

from msgspec import Struct

from tocsin.address import Address
from tocsin.evidence import Evidence
from tocsin.local import LocalEntry
from tocsin.position import PENDING, Position


class Demand(Struct, frozen=True):
    """`at_least` is the watermark of a session; the answer has been untrue for less than `max_stale_s`."""

    at_least: Position | None = None
    max_stale_s: float = math.inf

    @property
    def pending(self) -> bool:
        """Whether the session wrote what nobody could be told of yet: then only the database will do."""
        return self.at_least == PENDING


ANYTHING = Demand()
"""The demand of a read that makes none."""


def doubted(evidence: Evidence, entry: LocalEntry, address: Address, now_s: float, demand: Demand) -> str:
    """Return why an entry that this process holds may not answer a read with this demand, or ''."""
    doubt = evidence.doubt(entry, address, now_s, demand.at_least)
    if not doubt and demand.max_stale_s < math.inf and evidence.untrue_s(entry, now_s) >= demand.max_stale_s:
        return "demand"
    return doubt


def demand(at_least: Position | None, max_stale_s: float | None) -> Demand:
    """Return the demand; raise `ValueError` for a time that is negative, or no number."""
    if max_stale_s is None:
        return ANYTHING if at_least is None else Demand(at_least)
    if not max_stale_s >= 0:
        raise ValueError(f"max_stale is {max_stale_s!r}: a number of seconds is needed, or 0 for as of now")
    return Demand(at_least, max_stale_s)
