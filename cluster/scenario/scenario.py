"""The value. Every field has a default, so that a scenario says only what matters to it.

strategy = "sequenced"
workload = "register"
duration_s = 12

[[faults]]
fault = "partition"
target = "one"              # one, minority, majority, all, or a name
at_s = 3                    # default: a quarter of the duration
for_s = 6                   # default: half of it
parameters = { mode = "blackhole" }
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from cluster.errors import WrongInputError
from cluster.fault.port import Fact
from cluster.topology import Topology

Parameters: TypeAlias = dict[str, Fact]

DURATION_S_MAX = 24 * 3600.0
RATE_PER_S_MAX = 20_000.0


class FaultStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One fault of a scenario: what, where, when and for how long (seconds after the traffic's beginning)."""

    fault: str
    target: str = "one"
    at_s: float | None = None
    for_s: float | None = None
    parameters: Parameters = {}


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What to run. `settings` is further environment of the services (docs/contract.md §5)."""

    name: str = ""
    strategy: str = "sequenced"
    write_path: str = "cache-aside"
    workload: str = "register"
    faults: tuple[FaultStep, ...] = ()
    duration_s: float = 12.0
    rate_per_s: float = 400.0
    seed: int = 1
    nodes: int = 3
    workers: int = 2
    launcher: str = "processes"
    database_url: str | None = None
    settings: dict[str, str] = {}

    def __post_init__(self) -> None:
        """Raise WrongInputError for what no run can be. Names of faults and workloads are checked by `checked`."""
        _within("duration_s", self.duration_s, DURATION_S_MAX)
        _within("rate_per_s", self.rate_per_s, RATE_PER_S_MAX)
        if self.seed < 0:
            raise WrongInputError(f"seed {self.seed} is below 0")
        for step in self.faults:
            at_s, for_s = self.times(step)
            if at_s < 0 or for_s <= 0 or at_s + for_s > self.duration_s:
                raise WrongInputError(
                    f"{step.fault}: from {at_s:g} s for {for_s:g} s does not lie within the {self.duration_s:g} s of "
                    "traffic; set at_s and for_s, or a longer duration_s"
                )
        self.topology()

    def times(self, step: FaultStep) -> tuple[float, float]:
        """When a fault starts, and for how long it lasts, in seconds of the traffic."""
        at_s = self.duration_s / 4 if step.at_s is None else step.at_s
        longest = self.duration_s - at_s
        for_s = min(self.duration_s / 2, longest) if step.for_s is None else step.for_s
        return at_s, for_s

    def topology(self) -> Topology:
        """The cluster that it needs, with failpoints and traces, on a free port. Raises WrongInputError."""
        return Topology(
            nodes=self.nodes,
            workers=self.workers,
            strategy=self.strategy,
            write_path=self.write_path,
            launcher=self.launcher,
            database_url=self.database_url,
            edge_port=0,
            failpoints=True,
            trace=True,
            settings=tuple(sorted(self.settings.items())),
        )

    @property
    def title(self) -> str:
        """What it is called: its name, else `sequenced × partition`."""
        if self.name:
            return self.name
        path = "" if self.write_path == "cache-aside" else f"/{self.write_path}"
        return f"{self.strategy}{path} × {' + '.join(step.fault for step in self.faults) or 'no fault'}"


def _within(what: str, value: float, most: float) -> None:
    if not 0 < value <= most:
        raise WrongInputError(f"{what} {value:g} is out of range; above 0, at most {most:g}")
