"""Faults at chosen places in the services: a worker dies, or sleeps, between two steps (docs/contract.md §2, §5).

    crash-after-commit   the database has the write, the worker dies before it told anybody
    sleep-after-commit   … or tells it late
    sleep-before-fill    a value was loaded, and reaches L2 late: it must not undo what was written meanwhile
    sleep-before-apply   an invalidation was heard, and is applied late

A point is armed for a node, so many times, through one of its workers; what is hit stands in a file of the node before
the process acts, so the evidence outlives it.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

import msgspec

from cluster.errors import ClusterError
from cluster.fault.parameters import complete
from cluster.fault.port import Cluster, Evidence, Fact, Plan, choose
from cluster.fault.server import nodes
from cluster.status import Endpoint, State

ASK_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FailpointFault:
    """One action at one point, on some nodes."""

    name: str
    summary: str
    point: str
    action: str
    parameters: Mapping[str, Fact] = field(default_factory=dict)

    def refusal(self, cluster: Cluster) -> str | None:
        """The services must have been started with their failpoints."""
        topology = cluster.run.topology()
        if topology.peer:
            return "other people's caches have no failpoints of ours"
        if topology.failpoints:
            return None
        return "the services were started without their failpoints (`up --failpoints` starts them with)"

    def plan(self, cluster: Cluster, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """The nodes, and how often the point was hit at each so far."""
        targets = choose(spec, nodes(cluster.status()), chance)
        before: dict[str, Fact] = {name: self._hits(cluster, name) for name in targets}
        whole = complete(self.name, self.parameters, parameters, chance)
        return Plan(fault=self.name, spec=spec, targets=targets, parameters=whole, before=before)

    def start(self, cluster: Cluster, plan: Plan) -> None:
        """Arm the point at each node."""
        for name in plan.targets:
            seconds = float(plan.parameters.get("sleep_s", 0.0))
            self._arm(cluster, name, count=int(plan.parameters["count"]), seconds=seconds)

    def evidence(self, cluster: Cluster, plan: Plan) -> Evidence:
        """How often it was hit since."""
        hits = {name: self._hits(cluster, name) - int(plan.before[name]) for name in plan.targets}
        text = "; ".join(f"{name} hit {self.point} {count} times" for name, count in hits.items())
        details: dict[str, Fact] = dict(hits)
        return Evidence(took=all(hits.values()), text=text, details=details)

    def heal(self, cluster: Cluster, plan: Plan) -> None:
        """Disarm; at a node that is dead nothing is hit, and one that is started again finds nothing armed."""
        for name in plan.targets:
            if any(True for _ in _living(cluster, name)):
                self._arm(cluster, name, count=0, seconds=0.0)

    def _arm(self, cluster: Cluster, name: str, *, count: int, seconds: float) -> None:
        wish = {"point": self.point, "action": self.action, "seconds": seconds, "count": count}
        _ask(cluster, name, "POST", msgspec.json.encode(wish))

    def _hits(self, cluster: Cluster, name: str) -> int:
        hits = msgspec.convert(_ask(cluster, name, "GET", None)["hits"], type=dict[str, int])
        return hits.get(self.point, 0)


def _living(cluster: Cluster, name: str) -> Iterator[Endpoint]:
    node = next(node for node in cluster.status().nodes if node.name == name)
    return (worker for worker in node.workers if worker.state is State.RUNNING and node.state is State.RUNNING)


def _ask(cluster: Cluster, name: str, method: str, body: bytes | None) -> dict[str, object]:
    """Ask the first worker of a node that answers; the others may just have been killed by what is asked about."""
    problem: object = "none of its workers runs"
    for worker in _living(cluster, name):
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(worker.url).port or 0, timeout=ASK_S)
        try:
            headers = {"Tocsin-Secret": cluster.run.secret(), "Content-Type": "application/json", "Connection": "close"}
            connection.request(method, "/_tocsin/failpoint", body=body, headers=headers)
            answer = connection.getresponse()
            if answer.status == 200:
                return msgspec.json.decode(answer.read(), type=dict[str, object])
            problem = f"it answers {answer.status}"
        except (OSError, http.client.HTTPException) as error:
            problem = error
        finally:
            connection.close()
    raise ClusterError(f"the failpoints of {name} can't be reached: {problem}")


CRASH_AFTER_COMMIT = FailpointFault(
    name="crash-after-commit",
    summary="a worker dies between the commit of a write and telling anybody",
    point="after-commit",
    action="crash",
    parameters={"count": 2},
)
SLEEP_AFTER_COMMIT = FailpointFault(
    name="sleep-after-commit",
    summary="a worker tells of its writes late",
    point="after-commit",
    action="sleep",
    parameters={"count": 100, "sleep_s": 0.5},
)
SLEEP_BEFORE_FILL = FailpointFault(
    name="sleep-before-fill",
    summary="what was loaded reaches L2 late, after other writes",
    point="before-fill",
    action="sleep",
    parameters={"count": 100, "sleep_s": 0.3},
)
SLEEP_BEFORE_APPLY = FailpointFault(
    name="sleep-before-apply",
    summary="a node applies late what it heard",
    point="before-apply",
    action="sleep",
    parameters={"count": 100, "sleep_s": 0.3},
)
