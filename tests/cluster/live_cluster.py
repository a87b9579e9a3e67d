"""A cluster that a test brings up for itself, driven by the command line in this process."""

from __future__ import annotations

from pathlib import Path

import requests
from click.testing import CliRunner, Result

from cluster.cli import cluster as cluster_command
from cluster.processes import family
from cluster.runs import Runs
from cluster.status import Status, parse


class LiveCluster:
    """The verbs, what they say, and which processes there are."""

    def __init__(self, root: Path) -> None:
        self.runs = Runs(root)

    def command(self, *words: str) -> Result:
        """One verb, whatever comes of it."""
        return CliRunner().invoke(cluster_command, ["--runs", str(self.runs.root), *words])

    def do(self, *words: str) -> str:
        """One verb that must succeed; what it said."""
        result = self.command(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def status(self) -> Status:
        """`status --json`."""
        return parse(self.do("status", "--json"))

    def ready(self, worker_url: str) -> int:
        """The status of a worker's `/readyz`."""
        return requests.get(f"{worker_url}/readyz", timeout=10).status_code

    def all_ready(self) -> bool:
        """Whether every worker of every node says that it is ready."""
        return all(self.ready(worker.url) == 200 for node in self.status().nodes for worker in node.workers)

    def pids(self) -> set[int]:
        """Every living process of every run."""
        return {member.seen.pid.number for run in self.runs.all() for member in family.members(run)}
