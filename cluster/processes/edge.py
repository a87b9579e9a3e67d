"""The edge: one nginx, from a prefix that `cluster.edge` writes for this run's addresses."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cluster.asking import http_status, listens
from cluster.edge import write_prefix
from cluster.ports import LOOPBACK
from cluster.processes.binary import Binary
from cluster.processes.plan import EDGE, Plan
from cluster.processes.spawn import Command, Spawned
from cluster.until import Missing


@dataclass(frozen=True, slots=True)
class EdgeServer:
    """The nginx in front of all nodes."""

    plan: Plan
    binary: Binary
    name: str = EDGE

    def command(self) -> Command:
        """Write the prefix and start nginx in the foreground of its own session."""
        prefix = self.plan.run.folder(self.name)
        addresses = self.plan.addresses
        configuration = write_prefix(
            prefix,
            listen=f"{LOOPBACK}:{addresses.edge}",
            nodes=[f"{LOOPBACK}:{port}" for port in addresses.nodes.values()],
            secret=self.plan.run.secret(),
            as_root=os.geteuid() == 0,
            hears=self.plan.topology.numbers,
        )
        argv = (str(self.binary.path), "-p", f"{prefix}/", "-c", str(configuration), "-g", "daemon off;")
        return Command(argv, prefix)

    def answers(self, spawned: Spawned) -> Missing:  # noqa: ARG002  # its port says more than its log
        """It accepts connections."""
        return listens(self.plan.addresses.edge)

    def ready(self) -> Missing:
        """It answers for a product, so a node behind it does."""
        status = http_status(self.plan.addresses.edge, "/api/products/1")
        return None if status == 200 else f"the edge answers {status} for a product"
