"""Plan: the names and addresses of one run under compose. Frozen; kept in the run folder as `addresses.json`.

    runs/…/addresses.json   loopback ports, chosen once: a container that is started again keeps its published port
    runs/…/compose.yaml     the override that adds them to docker-compose.yml
    tocsin-1f3a9c02         the project: one per folder of runs, so that two clones never meet

Inside the containers every port is the same: the plan knows those too.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random

import msgspec

from cluster.compose.engine import environment
from cluster.ports import LOOPBACK, choose_block, edge_port
from cluster.processes.spawn import MARKER
from cluster.runs import Run
from cluster.topology import Topology

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"
ADDRESSES, OVERRIDE = "addresses.json", "compose.yaml"
EDGE, FLUSHER, REDIS, POSTGRES, INIT = "edge", "flusher", "redis", "postgres", "init-db"
EDGE_AGENT = "edge-agent"
FRONT, CACHE, DATA = "front", "cache", "data"
EDGE_INSIDE, NODE_INSIDE, REDIS_INSIDE, POSTGRES_INSIDE = 8080, 8000, 6379, 5432


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Published loopback ports: by node, by worker (`node-1/worker-1`)."""

    edge: int
    redis: int
    database: int
    nodes: dict[str, int]
    workers: dict[str, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """One run: its topology, project and addresses."""

    run: Run
    topology: Topology
    addresses: Addresses

    @property
    def project(self) -> str:
        """The compose project's name."""
        return project_of(self.run)

    @property
    def services(self) -> tuple[str, ...]:
        """Every service that stays, as it is started."""
        agent = (EDGE_AGENT,) if self.topology.numbers else ()
        return (POSTGRES, REDIS, *self.topology.node_names, FLUSHER, EDGE, *agent)

    @property
    def database_url(self) -> str:
        """The database as this machine reaches it."""
        return f"postgresql://catalog:{self.run.secret()}@{LOOPBACK}:{self.addresses.database}/catalog"

    def url(self, port: int) -> str:
        """`http://127.0.0.1:port`."""
        return f"http://{LOOPBACK}:{port}"

    def compose(self, *words: str) -> tuple[str, ...]:
        """The words of a `docker compose` command for this project."""
        files = ("-f", str(COMPOSE_FILE), "-f", str(self.run.path / OVERRIDE))
        return ("compose", "--ansi", "never", "--progress", "plain", "-p", self.project, *files, *words)

    def environment(self) -> dict[str, str]:
        """What docker-compose.yml reads from the environment, and whatever docker itself needs."""
        return environment(
            {
                "STRATEGY": self.topology.strategy,
                "WRITE_PATH": self.topology.write_path,
                "CLUSTER_SECRET": self.run.secret(),
                "DATABASE_PASSWORD": self.run.secret(),
                MARKER: str(self.run.path),  # for `end_clients`; no container gets to see it
                "SERVICES_IMAGE": f"tocsin-services:{_short(ROOT)}",
            }
        )


def project_of(run: Run) -> str:
    """The project of a run: the same for all runs of one folder, since only one of them is up at a time."""
    return f"tocsin-{_short(run.path.parent)}"


def network(project: str, name: str) -> str:
    """What compose calls a network of a project."""
    return f"{project}_{name}"


def make_plan(run: Run, topology: Topology, rng: Random) -> Plan:
    """Choose every address of a new run and write them down. Raises ClusterError when there are not enough ports."""
    workers = [worker for node in topology.node_names for worker in topology.worker_names(node)]
    block = iter(choose_block(3 + len(topology.node_names) + len(workers), rng))
    addresses = Addresses(
        edge=edge_port(topology.edge_port, next(block)),
        redis=next(block),
        database=next(block),
        nodes={node: next(block) for node in topology.node_names},
        workers={worker: next(block) for worker in workers},
    )
    (run.path / ADDRESSES).write_bytes(msgspec.json.format(msgspec.json.encode(addresses), indent=2) + b"\n")
    return Plan(run, topology, addresses)


def load_plan(run: Run) -> Plan | None:
    """The plan of a run; None when its command was killed before it had one (then nothing was started either)."""
    path = run.path / ADDRESSES
    if not path.exists():
        return None
    return Plan(run, run.topology(), msgspec.json.decode(path.read_bytes(), type=Addresses))


def _short(path: Path) -> str:
    return sha256(str(path).encode()).hexdigest()[:8]
