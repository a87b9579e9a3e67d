"""Faults of processes inside a server: nginx's workers, which a reload replaces, and a node's agent.

They are found in /proc, by their parent and their command line, so a machine that does not show them (an engine in a
virtual machine) has no evidence, or refuses.
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from cluster.fault.parameters import complete
from cluster.fault.port import Cluster, Evidence, Fact, Plan, choose
from cluster.fault.server import nodes
from cluster.fault.steps import SteppedFault
from cluster.pid import Pid, environment_of, everyone, send, state_of
from cluster.processes.spawn import MARKER
from cluster.status import State
from cluster.target import Verb, parse_target
from cluster.until import Missing, until

EDGE = "edge"
GONE_S = 5.0


def _edge_workers(cluster: Cluster) -> set[int]:
    master = cluster.status().edge.pid
    return {seen.pid.number for seen in everyone() if master is not None and seen.parent == master}


def _workers_before(cluster: Cluster, parameters: Mapping[str, Fact]) -> dict[str, Fact]:  # noqa: ARG001
    return {"workers": " ".join(map(str, sorted(_edge_workers(cluster))))}


def _reload(cluster: Cluster, plan: Plan) -> None:  # noqa: ARG001
    cluster.launcher.reload(parse_target(EDGE, cluster.status()))


def _others_work(cluster: Cluster, plan: Plan) -> Evidence:
    before = set(map(int, str(plan.before["workers"]).split()))
    now = _edge_workers(cluster)
    fresh = now - before
    text = f"nginx had {len(before)} workers, and has {len(fresh)} others"
    return Evidence(took=bool(before) and bool(fresh), text=text, details={"fresh": len(fresh)})


def _lacks_reload(cluster: Cluster) -> str | None:
    return cluster.launcher.refusal(Verb.RELOAD, parse_target(EDGE, cluster.status()))


def _nothing(cluster: Cluster, plan: Plan) -> None:
    """The new workers serve as the old ones did."""


RELOAD_EDGE = SteppedFault(
    name="reload-edge",
    summary="nginx reads its configuration again: its workers are replaced, and what they had in hand ends",
    aim=(EDGE,),
    lacks=_lacks_reload,
    look=_workers_before,
    act=_reload,
    proof=_others_work,
    mend=_nothing,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KillAgent:
    """The process that keeps a node's generation table ends; the next worker that misses it starts another."""

    name: str = "kill-agent"
    summary: str = "the agent of a node ends by SIGKILL; its workers start another"
    parameters: Mapping[str, Fact] = field(default_factory=dict)

    def refusal(self, cluster: Cluster) -> str | None:
        """There must be one that can be seen."""
        if any(agents(cluster, node) for node in nodes(cluster.status())):
            return None
        return "no agent can be found: the strategy has none, or it runs in a container"

    def plan(self, cluster: Cluster, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """The nodes, and their agents' numbers."""
        targets = choose(spec, nodes(cluster.status()), chance)
        before: dict[str, Fact] = {node: next((pid.number for pid in agents(cluster, node)), 0) for node in targets}
        whole = complete(self.name, self.parameters, parameters, chance)
        return Plan(fault=self.name, spec=spec, targets=targets, parameters=whole, before=before)

    def start(self, cluster: Cluster, plan: Plan) -> None:
        """Kill them."""
        for node in plan.targets:
            killed = [pid for pid in agents(cluster, node) if send(pid, signal.SIGKILL)]

            def missing(killed: list[Pid] = killed) -> Missing:
                return "it lives" if any(state_of(pid) is not State.DEAD for pid in killed) else None

            until(missing, within_s=GONE_S, waiting_for=f"the agent of {node} to die")

    def evidence(self, cluster: Cluster, plan: Plan) -> Evidence:
        """Whether each is gone, or another one."""
        now = {node: next((pid.number for pid in agents(cluster, node)), 0) for node in plan.targets}
        took = all(plan.before[node] and now[node] != plan.before[node] for node in plan.targets)
        text = "; ".join(
            f"the agent of {node} was pid {plan.before[node]} and is {now[node] or 'gone'}" for node in now
        )
        details: dict[str, Fact] = dict(now)
        return Evidence(took=took, text=text, details=details)

    def heal(self, cluster: Cluster, plan: Plan) -> None:
        """Nothing: the workers see to it."""


def agents(cluster: Cluster, node: str) -> list[Pid]:
    """The living agents of a node, by the run's mark in their environment and their command line."""
    mark = f"{MARKER}={cluster.run.path}".encode()
    words = [b"agent", b"--node", node.encode()]
    return [
        seen.pid
        for seen in everyone()
        if all(word in _command(seen.pid) for word in words) and mark in environment_of(seen.pid)
    ]


def _command(pid: Pid) -> list[bytes]:
    try:
        return Path(f"/proc/{pid.number}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


KILL_AGENT = KillAgent()
