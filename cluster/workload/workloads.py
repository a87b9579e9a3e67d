"""Workloads: the kinds of traffic that a scenario can name, as profiles.

Each is about one way in which caches go wrong; the rate is the scenario's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from cluster.errors import WrongInputError
from cluster.workload.profile import Profile

MANY = tuple(range(1, 201))


@dataclass(frozen=True, slots=True)
class Workload:
    """A kind of traffic. `summary`: one line for `list workloads`."""

    name: str
    summary: str
    shape: Profile

    def profile(self, rate_per_s: float) -> Profile:
        """Its traffic at so many requests a second."""
        return replace(self.shape, rate_per_s=rate_per_s)


WORKLOADS = {
    each.name: each
    for each in (
        Workload("register", "reads and writes of 200 products, the popular ones most (Zipf)", Profile(products=MANY)),
        Workload("uniform", "reads and writes of 200 products, all alike", Profile(products=MANY, zipf_exponent=0.0)),
        Workload(
            "hot-key",
            "most of it is about one product: stampedes",
            Profile(products=MANY, zipf_exponent=2.5, write_share=0.02),
        ),
        Workload(
            "write-burst",
            "every two seconds, half a second in which half of the requests are writes",
            Profile(products=MANY, burst_every_s=2.0),
        ),
        Workload(
            "cold-scan",
            "half of the reads walk through all 1,000 products, as a crawler does",
            Profile(products=tuple(range(1, 1001)), scan_share=0.5),
        ),
        Workload(
            "tags",
            "half of the reads see the product in the list of its category: tags and namespaces",
            Profile(products=MANY, list_share=0.5),
        ),
        Workload(
            "sessions",
            "people change products of their own and look at them again: read your writes, monotonic reads",
            Profile(products=MANY, own_share=0.8, write_share=0.15, sessions=24),
        ),
        Workload(
            "personal",
            "half of the requests are for pages of several signed-in users: leaks",
            Profile(products=MANY, personal_share=0.5),
        ),
        Workload(
            "write-behind",
            "many writes to few products, which a write-behind path has to drain in order",
            Profile(products=tuple(range(1, 21)), write_share=0.2, zipf_exponent=0.5),
        ),
    )
}


def workload_named(name: str) -> Workload:
    """The workload of this name. Raises WrongInputError that lists the names."""
    if name not in WORKLOADS:
        raise WrongInputError(f"no workload is called {name!r}; there are {', '.join(WORKLOADS)}")
    return WORKLOADS[name]
