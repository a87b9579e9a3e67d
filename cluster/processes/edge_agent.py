"""The edge's agent: the process that tells nginx of invalidations, through the control socket in the edge's folder.

It reaches Redis through a link of its own, so that the edge can be cut off from the backplane and from nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from cluster.asking import lease_missing
from cluster.edge import CONTROL, agent_command
from cluster.processes.plan import EDGE, EDGE_AGENT, Plan
from cluster.processes.spawn import Command, Spawned
from cluster.until import Missing

NAMESPACE = "catalog"


@dataclass(frozen=True, slots=True)
class EdgeAgentServer:
    """The agent of the one edge."""

    plan: Plan
    name: str = EDGE_AGENT

    def command(self) -> Command:
        """Start it; it waits for an nginx, and for Redis, as long as that takes."""
        run = self.plan.run
        argv = agent_command(run.folder(EDGE) / CONTROL, secret_file=run.secret_file, namespace=NAMESPACE, name=EDGE)
        return Command(argv, run.folder(self.name), {"REDIS_URL": self.plan.redis_url(self.name)})

    def answers(self, spawned: Spawned) -> Missing:  # noqa: ARG002  # it listens nowhere, and says nothing while all is well
        """Nothing can be asked of it alone."""
        return None

    def ready(self) -> Missing:
        """The edge holds a lease."""
        return lease_missing(self.plan.addresses.edge)
