"""The port that every fault implements, and the values that pass through it.

The order of calls is `refusal`, `plan`, `start`, `evidence`, `heal`; `evidence` is asked while the fault is in force,
just before its heal. Each call is bounded in time, may block (the engine calls it in a thread) and may raise
ClusterError: then the cell is unknown, with the error as its reason, and `heal` is called all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Protocol, TypeAlias

import msgspec

from cluster.errors import WrongInputError
from cluster.launcher import Launcher
from cluster.runs import Run
from cluster.status import Status

Fact: TypeAlias = int | float | str | bool
"""What a plan or a probe can hold: it goes on file as JSON."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What a fault acts on: a running cluster, its run folder (secret, topology, link control), and its launcher."""

    run: Run
    launcher: Launcher

    def status(self) -> Status:
        """What is so now; never waits for a server that hangs."""
        return self.launcher.status()


class Plan(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a fault is about to do, with everything that its evidence and its heal need.

    `spec` is the target as it was asked for, `targets` the full names it came to. `before` holds what was so before
    anything was done (pids, run ids, counters), for the evidence to compare with.
    """

    fault: str
    spec: str = "one"
    targets: tuple[str, ...] = ()
    parameters: dict[str, Fact] = {}
    before: dict[str, Fact] = {}


class Evidence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether a fault took effect: `text` in a sentence without a full stop, `details` as numbers."""

    took: bool
    text: str
    details: dict[str, Fact] = {}


class Fault(Protocol):
    """One kind of fault."""

    @property
    def name(self) -> str:
        """What it is called on the command line and in a scenario: `kill-node`."""
        ...

    @property
    def summary(self) -> str:
        """One line for `list faults`."""
        ...

    @property
    def parameters(self) -> Mapping[str, Fact]:
        """What it takes, with the defaults; a seed of -1 is drawn from the run's own."""
        ...

    def refusal(self, cluster: Cluster) -> str | None:
        """Why it can't be injected here (this launcher, topology, machine); None when it can. Touches nothing."""
        ...

    def plan(self, cluster: Cluster, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """Choose targets and fill in parameters. Touches nothing. Raises WrongInputError for what can't be asked."""
        ...

    def start(self, cluster: Cluster, plan: Plan) -> None:
        """Do it. Returns when it is in force."""
        ...

    def evidence(self, cluster: Cluster, plan: Plan) -> Evidence:
        """Whether it took effect, seen from outside the fault itself."""
        ...

    def heal(self, cluster: Cluster, plan: Plan) -> None:
        """Undo it, wholly; returns when it is undone. Idempotent; also right when `start` failed half way."""
        ...


SPECS = ("one", "minority", "majority", "all")
"""How many of those that can be hit are hit; anything else is a name, or names joined by `+`."""


def choose(spec: str, names: tuple[str, ...], chance: Random) -> tuple[str, ...]:
    """The names that a target spec comes to, in the order of `names`.

    one: a random one. minority: less than half, at least one. majority: more than half. all. Else the name itself, or
    several joined by `+`. Raises WrongInputError, listing the names, for a name that is not among them.
    """
    if not names:
        raise WrongInputError(f"there is nothing here that target {spec!r} could mean")
    count = {
        "one": 1,
        "minority": max(1, (len(names) - 1) // 2),
        "majority": len(names) // 2 + 1,
        "all": len(names),
    }.get(spec)
    chosen = set(spec.split("+")) if count is None else set(chance.sample(names, count))
    wrong = sorted(chosen - set(names))
    if wrong:
        raise WrongInputError(f"no target is called {', '.join(wrong)}; there are {', '.join((*SPECS, *names))}")
    return tuple(name for name in names if name in chosen)
