"""The link process, when it is one of a run's servers."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec

import cluster
from cluster.errors import ClusterError
from cluster.link.client import LinkClient
from cluster.link.plan import PLAN, LinkServerPlan
from cluster.processes.plan import LINKS, Plan
from cluster.processes.spawn import Command, Spawned
from cluster.until import Missing

# `cluster` is no installed package: the process finds it where this one did.
ROOT = str(Path(cluster.__file__).resolve().parent.parent)


@dataclass(frozen=True, slots=True)
class LinksServer:
    """The one process that holds every link of a run."""

    plan: Plan
    name: str = LINKS

    def command(self) -> Command:
        """Write links.json (0600, it holds the secret) and start the process."""
        folder = self.plan.run.folder(self.name)
        file = folder / PLAN
        file.touch(mode=0o600)
        file.write_bytes(
            msgspec.json.encode(LinkServerPlan(secret=self.plan.run.secret(), links=self.plan.link_plans()))
        )
        return Command((sys.executable, "-m", "cluster.link", str(folder)), folder, {"PYTHONPATH": ROOT})

    def answers(self, spawned: Spawned) -> Missing:  # noqa: ARG002  # its control socket says more than its log
        """Its control socket answers."""
        return self.ready()

    def ready(self) -> Missing:
        """Its control socket answers; every port was opened before that."""
        try:
            self.client().look()
        except ClusterError as problem:
            return str(problem)
        return None

    def client(self) -> LinkClient:
        """The way to ask it for cuts."""
        return LinkClient(self.plan.run.folder(self.name), self.plan.run.secret())
