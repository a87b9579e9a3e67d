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
    )
}


def workload_named(name: str) -> Workload:
    """The workload of this name. Raises WrongInputError that lists the names."""
    if name not in WORKLOADS:
        raise WrongInputError(f"no workload is called {name!r}; there are {', '.join(WORKLOADS)}")
    return WORKLOADS[name]
