"""Arrivals: who asks for what, and when, fixed before the first request is sent.

The open model: requests come at the rate at which people come, whatever became of those before them (a closed model,
in which each client waits for its answer, goes easy on a service that hangs). Gaps are exponential, so arrivals are
independent; popularity is Zipf's. The same profile and seed give the same arrivals; what a cluster does with them is
its own affair, and thread order is not replayed.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import accumulate, cycle
from random import Random

from cluster.workload.profile import Profile


class Wish(Enum):
    """What somebody wants."""

    PRODUCT = "read a product"
    CHANGE = "change a product"
    PERSONAL = "see the own page"
    LISTED = "see a product in the list of its category"


@dataclass(frozen=True, slots=True)
class Arrival:
    """One request to come: `at_s` after the start, about `product`, to a worker by name or to the edge ("").

    `own`: about one of the products of whoever sends it, instead.
    """

    at_s: float
    wish: Wish
    product: int
    worker: str
    own: bool = False


def arrivals(profile: Profile, workers: Sequence[str], chance: Random) -> Iterator[Arrival]:
    """The traffic of `profile`, without end. `workers` are the names that direct requests are spread over."""
    shares = [(rank + 1) ** -profile.zipf_exponent for rank in range(len(profile.products))]
    cumulative = list(accumulate(shares))
    crawler = cycle(profile.products)
    at_s = 0.0
    while True:
        at_s += chance.expovariate(profile.rate_per_s)
        product = profile.products[bisect(cumulative, chance.random() * cumulative[-1], hi=len(shares) - 1)]
        kind = chance.random()
        write_share = profile.write_share_at(at_s)
        own = profile.own_share > 0 and chance.random() < profile.own_share
        direct = not own and bool(workers) and chance.random() < profile.direct_share
        worker = chance.choice(workers) if direct else ""
        if kind < write_share:
            yield Arrival(at_s, Wish.CHANGE, product, worker, own)
        elif kind < write_share + profile.personal_share:
            yield Arrival(at_s, Wish.PERSONAL, product, "")
        else:
            listed = profile.list_share > 0 and chance.random() < profile.list_share
            if not own and profile.scan_share > 0 and chance.random() < profile.scan_share:
                product = next(crawler)
            yield Arrival(at_s, Wish.LISTED if listed else Wish.PRODUCT, product, worker, own)
