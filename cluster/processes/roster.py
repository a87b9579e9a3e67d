"""Roster: every server of a run, in the order in which their absence is best reported."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.processes.binary import Binary
from cluster.processes.edge import EdgeServer
from cluster.processes.edge_agent import EdgeAgentServer
from cluster.processes.flusher import FlusherServer
from cluster.processes.links import LinksServer
from cluster.processes.node import NodeServer
from cluster.processes.plan import Plan
from cluster.processes.redis import RedisServer
from cluster.processes.server import Server


@dataclass(frozen=True, slots=True)
class Binaries:
    """The programs that are not Python."""

    redis_server: Binary
    nginx: Binary


def roster(plan: Plan, binaries: Binaries) -> tuple[Server, ...]:
    """All servers. A later one may need the earlier ones to be ready, never the other way round."""
    links = () if plan.topology.direct else (LinksServer(plan),)
    nodes = (NodeServer(plan, name) for name in plan.topology.node_names)
    return (
        RedisServer(plan, binaries.redis_server),
        *links,
        *nodes,
        FlusherServer(plan),
        EdgeServer(plan, binaries.nginx),
        *((EdgeAgentServer(plan),) if plan.topology.numbers else ()),
    )
