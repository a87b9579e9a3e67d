"""A node: a master with its workers, started as `docs/contract.md` §5 says: gunicorn's, unless another server is set.

Its folder holds `worker-<n>.pid`, which the services write after each fork: that is how a worker's process is found.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from cluster.asking import http_status
from cluster.ports import LOOPBACK
from cluster.processes import clock
from cluster.processes.plan import Plan
from cluster.processes.spawn import Command, Spawned
from cluster.seal import TRACE_FOLDER, switches
from cluster.until import Missing

ARGV = (sys.executable, "-m", "catalog", "serve")
METRICS = "metrics"


@dataclass(frozen=True, slots=True)
class NodeServer:
    """One node."""

    plan: Plan
    name: str

    def command(self) -> Command:
        """Clear what the node's last life left (pid files, metrics) and start its server."""
        folder = self.plan.run.folder(self.name)
        for stale in folder.glob("worker-*.pid"):
            stale.unlink()
        shutil.rmtree(folder / METRICS, ignore_errors=True)
        (folder / METRICS).mkdir(mode=0o700)
        addresses = self.plan.addresses
        added = {
            "CATALOG_BIND": f"{LOOPBACK}:{addresses.nodes[self.name]}",
            "CATALOG_WORKER_BINDS": ",".join(f"{LOOPBACK}:{port}" for port in self._worker_ports()),
            "CATALOG_RUN_DIR": str(folder),
            "PROMETHEUS_MULTIPROC_DIR": str(folder / METRICS),
        }
        application = "peers.wsgi:application" if self.plan.topology.peer else "catalog.wsgi:application"
        added |= service_environment(self.plan, self.name) | clock.environment(folder)
        return Command((*ARGV, application), folder, added)

    def answers(self, spawned: Spawned) -> Missing:  # noqa: ARG002  # its ports say more than its log
        """Each of its workers answers `/healthz` on its own port."""
        return self._every_worker("/healthz")

    def ready(self) -> Missing:
        """Each of its workers says on its own port that it is ready: database, Redis, backplane."""
        return self._every_worker("/readyz")

    def _every_worker(self, path: str) -> Missing:
        for worker, port in zip(self.plan.topology.worker_names(self.name), self._worker_ports(), strict=True):
            status = http_status(port, path)
            if status != 200:
                return f"{worker} answers {status} to {path}"
        return None

    def _worker_ports(self) -> tuple[int, ...]:
        return tuple(self.plan.addresses.workers[worker] for worker in self.plan.topology.worker_names(self.name))


def service_environment(plan: Plan, name: str) -> dict[str, str]:
    """What a node and the flusher are both told (contract §5)."""
    peer = plan.topology.peer
    return {
        "CATALOG_NODE": name,
        "CATALOG_SECRET": plan.run.secret(),
        "DATABASE_URL": plan.database_url(name),
        "REDIS_URL": plan.redis_url(name),
        "TOCSIN_STRATEGY": "no-cache" if peer else plan.topology.strategy,
        "TOCSIN_WRITE_PATH": plan.topology.write_path,
        **({"PEERS_LIBRARY": peer} if peer else {}),
        **dict(plan.topology.settings),
        **switches(plan.run, trace_folder=str(plan.run.path / TRACE_FOLDER)),
    }


def worker_pid_file(folder: Path, slot: int) -> Path:
    """Where worker `slot` of the node with this folder writes its pid after each fork."""
    return folder / f"worker-{slot}.pid"
