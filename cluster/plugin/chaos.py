"""Chaos: faults in a test: `with chaos("kill-node", target="node-2"): …`.

A fault without evidence fails the test: what was kept while nothing happened is no promise. Whatever a test leaves in
force is healed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from random import Random

from cluster.fault.catalogue import fault_named
from cluster.fault.port import Cluster, Evidence, Fact, Fault, Plan

Note = Callable[[Plan, str, dict[str, Fact]], None]
"""Puts a line about a fault on file: the plan, `plan`, `start`, `evidence` or `stop`, and facts."""


class NoEvidenceError(AssertionError):
    """A fault that nobody could see."""


class Chaos:
    """The faults of one test on one cluster."""

    def __init__(self, cluster: Cluster, note: Note, chance: Random) -> None:
        """`chance` draws targets where the test names none."""
        self._cluster = cluster
        self._note = note
        self._chance = chance
        self._open: list[tuple[Fault, Plan]] = []
        self.evidence: list[tuple[Plan, Evidence]] = []
        """What was inflicted so far, and what showed it."""

    @contextmanager
    def __call__(self, name: str, target: str = "one", **parameters: Fact) -> Iterator[Plan]:
        """Inflict a fault of `list faults` while the block runs, on `target` (one, minority, majority, all, or a name).

        Skips the test where this cluster can't have it. Raises NoEvidenceError where nothing shows that it took effect,
        and ClusterError where it can't be started or healed.
        """
        import pytest

        fault = fault_named(name)
        refused = fault.refusal(self._cluster)
        if refused is not None:
            pytest.skip(f"{name}: {refused}")
        plan = fault.plan(self._cluster, target, parameters, self._chance)
        self._open.append((fault, plan))
        self._note(plan, "plan", dict(plan.parameters))
        fault.start(self._cluster, plan)
        self._note(plan, "start", dict(plan.before))
        try:
            yield plan
            found = fault.evidence(self._cluster, plan)
            self.evidence.append((plan, found))
            self._note(plan, "evidence", {"took": found.took, **found.details})
        finally:
            self._heal(fault, plan)
        if not found.took:
            raise NoEvidenceError(f"{name} on {', '.join(plan.targets)}: {found.text}")

    def heal(self) -> None:
        """Undo whatever is still in force, the last first."""
        for fault, plan in reversed(list(self._open)):
            self._heal(fault, plan)

    def _heal(self, fault: Fault, plan: Plan) -> None:
        fault.heal(self._cluster, plan)
        if (fault, plan) in self._open:
            self._open.remove((fault, plan))
            self._note(plan, "stop", {})
