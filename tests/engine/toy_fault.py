"""A fault that only notes what is done with it, and can be told to misbehave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from cluster.errors import ClusterError
from cluster.fault.port import Cluster, Evidence, Fact, Plan, choose


@dataclass(slots=True)
class ToyFault:
    """`fails`: the calls that raise, at most `fails_times` in all. `took`: what its evidence says. `did`: what was
    done, in order.
    """

    name: str = "toy"
    summary: str = "does nothing"
    parameters: Mapping[str, Fact] = field(default_factory=dict)
    refused: str | None = None
    took: bool = True
    fails: tuple[str, ...] = ()
    fails_times: int = 1000
    did: list[str] = field(default_factory=list)

    def refusal(self, cluster: Cluster) -> str | None:
        """As told."""
        return self.refused

    def plan(self, cluster: Cluster, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """A node, by the spec."""
        self._do("plan")
        names = tuple(node.name for node in cluster.status().nodes)
        return Plan(fault=self.name, spec=spec, targets=choose(spec, names, chance), parameters=dict(parameters))

    def start(self, cluster: Cluster, plan: Plan) -> None:
        """Noted."""
        self._do("start")

    def evidence(self, cluster: Cluster, plan: Plan) -> Evidence:
        """As told."""
        self._do("evidence")
        return Evidence(took=self.took, text="a toy saw it", details={"seen": 1})

    def heal(self, cluster: Cluster, plan: Plan) -> None:
        """Noted."""
        self._do("heal")

    def _do(self, call: str) -> None:
        self.did.append(call)
        if call in self.fails and self.fails_times > 0:
            self.fails_times -= 1
            raise ClusterError(f"the toy's {call} broke")
