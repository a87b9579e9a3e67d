"""Plan: the addresses of one run's servers, and what each server needs to be told. Frozen; kept in the run folder.

    node-1 ─▶ REDIS_URL=redis://127.0.0.1:21010/0 ─▶ link node-1→redis ─▶ 127.0.0.1:21001 redis

Ports are chosen once and written down as `addresses.json`, so that whoever restarts a server, in whatever process,
gives it the address that the others know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import msgspec

from cluster.link.name import link_name
from cluster.link.plan import LinkPlan
from cluster.ports import LOOPBACK, choose_block, edge_port
from cluster.runs import Run
from cluster.topology import Database, Topology, parse_database

ADDRESSES = "addresses.json"
DATABASE_FILE = "catalog.db"
REDIS, DATABASE, EDGE, FLUSHER, LINKS = "redis", "database", "edge", "flusher", "links"
EDGE_AGENT = "edge-agent"


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """Loopback ports: by node, by worker (`node-1/worker-1`), by link (`node-1→redis`)."""

    edge: int
    redis: int
    nodes: dict[str, int]
    workers: dict[str, int]
    links: dict[str, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, with its topology, database and addresses."""

    run: Run
    topology: Topology
    database: Database
    addresses: Addresses

    @property
    def redis_address(self) -> str:
        """Redis itself, not through a link: host:port."""
        return f"{LOOPBACK}:{self.addresses.redis}"

    def url(self, port: int) -> str:
        """`http://127.0.0.1:port`."""
        return f"http://{LOOPBACK}:{port}"

    def redis_url(self, name: str) -> str:
        """Redis as a node (or the flusher) reaches it: through its link where it has one."""
        return f"redis://{LOOPBACK}:{self.addresses.links.get(link_name(name, REDIS), self.addresses.redis)}/0"

    def database_url(self, name: str) -> str:
        """The database as a node (or the flusher) reaches it: through its link where it has one."""
        port = self.addresses.links.get(link_name(name, DATABASE))
        return self.database.url if port is None else self.database.through(LOOPBACK, port)

    def link_plans(self) -> tuple[LinkPlan, ...]:
        """Where each link listens and leads."""
        return tuple(self._link(name, port) for name, port in self.addresses.links.items())

    def links_of(self, name: str) -> tuple[str, ...]:
        """Names of the links of a node or the flusher."""
        return tuple(link for link in self.addresses.links if link.startswith(link_name(name, "")))

    def _link(self, name: str, port: int) -> LinkPlan:
        if name.endswith(link_name("", DATABASE)):
            host, target = self.database.host, self.database.port
        else:
            host, target = LOOPBACK, self.addresses.redis
        assert host is not None, "only a database with a network gets links"
        assert target is not None, "a database with a network has a port"
        resp = name.endswith(link_name("", REDIS))
        return LinkPlan(name=name, port=port, to_host=host, to_port=target, resp=resp)


def make_plan(run: Run, topology: Topology, rng: Random) -> Plan:
    """Choose every address of a new run and write them down. Raises ClusterError when there are not enough ports."""
    database = _database(run, topology)
    workers = [worker for node in topology.node_names for worker in topology.worker_names(node)]
    links = [] if topology.direct else list(_link_names(topology, database))
    block = iter(choose_block(2 + len(topology.node_names) + len(workers) + len(links), rng))
    addresses = Addresses(
        edge=edge_port(topology.edge_port, next(block)),
        redis=next(block),
        nodes={node: next(block) for node in topology.node_names},
        workers={worker: next(block) for worker in workers},
        links={link: next(block) for link in links},
    )
    (run.path / ADDRESSES).write_bytes(msgspec.json.format(msgspec.json.encode(addresses), indent=2) + b"\n")
    return Plan(run, topology, database, addresses)


def load_plan(run: Run) -> Plan | None:
    """The plan of a run; None when its command was killed before it had one (then nothing was started either)."""
    path = run.path / ADDRESSES
    if not path.exists():
        return None
    topology = run.topology()
    return Plan(run, topology, _database(run, topology), msgspec.json.decode(path.read_bytes(), type=Addresses))


def _database(run: Run, topology: Topology) -> Database:
    return parse_database(topology.database_url or f"sqlite:///{run.path / DATABASE_FILE}")


def _link_names(topology: Topology, database: Database) -> Iterator[str]:
    if topology.numbers:
        yield link_name(EDGE_AGENT, REDIS)
    for name in (*topology.node_names, FLUSHER):
        yield link_name(name, REDIS)
        if database.host is not None:
            yield link_name(name, DATABASE)
