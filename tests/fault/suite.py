"""The contract of every fault, asked of a real cluster: it takes effect, it is undone, and nothing of it is left.

    plan ─ on file and back ─▶ start ─▶ evidence, under a little traffic ─▶ heal ─▶ heal again ─▶ all is as before

Both launchers pass it: `tests/fault/test_faults_on_processes.py` and `tests/compose/test_faults.py`.
"""

from __future__ import annotations

import contextlib
from random import Random

import msgspec
import requests

from cluster.asking import http_status
from cluster.errors import ClusterError
from cluster.fault.catalogue import fault_named
from cluster.fault.port import Cluster, Evidence, Plan
from cluster.status import State
from tests.until import until

TOOK_S = 30.0
READY_S = 60.0
PRODUCTS = range(1, 9)


def holds(cluster: Cluster, name: str) -> None:
    """Inject a fault and heal it; fails where the contract of faults is broken."""
    fault = fault_named(name)
    assert fault.refusal(cluster) is None
    await_health(cluster)
    plan = fault.plan(cluster, "one", {}, Random(7))
    plan = msgspec.json.decode(msgspec.json.encode(plan), type=Plan)  # another process may have to heal it
    assert plan.targets
    assert not fault.evidence(cluster, plan).took, "before it is started there is no evidence"
    try:
        fault.start(cluster, plan)
        evidence = until(lambda: _evidence(cluster, plan), within_s=TOOK_S, waiting_for=f"evidence of {name}")
        assert evidence is not None
        assert evidence.text
    finally:
        fault.heal(cluster, plan)
    fault.heal(cluster, plan)
    await_health(cluster)
    if cluster.status().links is not None:
        assert cluster.status().cut == ()


def _evidence(cluster: Cluster, plan: Plan) -> Evidence | None:
    """The evidence once there is some; a little traffic gives it the occasion."""
    stir(cluster)
    evidence = fault_named(plan.fault).evidence(cluster, plan)
    return evidence if evidence.took else None


def stir(cluster: Cluster) -> None:
    """Read and change a few products at every node that answers; whatever comes of it."""
    for node in cluster.status().nodes:
        if node.state is not State.RUNNING:
            continue
        for number in PRODUCTS:
            with contextlib.suppress(requests.RequestException):
                url = f"{node.url}/api/products/{number}"
                requests.get(url, timeout=1)
                if number < 3:
                    requests.patch(url, json={"description": "stirred"}, timeout=1)


def await_health(cluster: Cluster) -> None:
    """Wait until nothing is dead, paused or cut, every worker is ready and the edge answers."""

    def healthy() -> bool:
        with contextlib.suppress(ClusterError):
            status = cluster.status()
            if status.named(State.DEAD) or status.named(State.PAUSED) or status.cut:
                return False
            ports = [int(worker.url.rpartition(":")[2]) for node in status.nodes for worker in node.workers]
            edge = int(status.edge.url.rpartition(":")[2])
            return all(http_status(port, "/readyz") == 200 for port in ports) and (
                http_status(edge, "/api/products/1") == 200
            )
        return False

    until(healthy, within_s=READY_S, waiting_for="the cluster to be healthy", every_s=0.1)
