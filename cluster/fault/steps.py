"""A fault that is made of steps, each a function: for those that no verb of the launcher is.

look (what is so) ─▶ Plan ─▶ act ─▶ … ─▶ proof ─▶ mend
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from cluster.errors import WrongInputError
from cluster.fault.parameters import complete
from cluster.fault.port import SPECS, Cluster, Evidence, Fact, Plan


def _can(cluster: Cluster) -> str | None:  # noqa: ARG001  # a step's form
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SteppedFault:
    """One fault with one possible target, `aim`. `lacks`: why it can't be done here."""

    name: str
    summary: str
    aim: tuple[str, ...]
    look: Callable[[Cluster, Mapping[str, Fact]], Mapping[str, Fact]]
    act: Callable[[Cluster, Plan], None]
    proof: Callable[[Cluster, Plan], Evidence]
    mend: Callable[[Cluster, Plan], None]
    lacks: Callable[[Cluster], str | None] = _can
    parameters: Mapping[str, Fact] = field(default_factory=dict)

    def refusal(self, cluster: Cluster) -> str | None:
        """Why it can't be done here."""
        return self.lacks(cluster)

    def plan(self, cluster: Cluster, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """What is so before. Every spec means the one target."""
        if spec not in (*SPECS, *self.aim):
            raise WrongInputError(f"{self.name} is always aimed at {', '.join(self.aim)}, not at {spec!r}")
        whole = complete(self.name, self.parameters, parameters, chance)
        before = dict(self.look(cluster, whole))
        return Plan(fault=self.name, spec=spec, targets=self.aim, parameters=whole, before=before)

    def start(self, cluster: Cluster, plan: Plan) -> None:
        """Do it."""
        self.act(cluster, plan)

    def evidence(self, cluster: Cluster, plan: Plan) -> Evidence:
        """Whether it took effect."""
        return self.proof(cluster, plan)

    def heal(self, cluster: Cluster, plan: Plan) -> None:
        """Undo it."""
        self.mend(cluster, plan)
