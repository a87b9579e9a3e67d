"""A run's addresses: chosen together, written down, and what each server is told of them."""

from __future__ import annotations

from random import Random

import msgspec

from cluster.processes.binary import Binary
from cluster.processes.edge import EdgeServer
from cluster.processes.node import NodeServer
from cluster.processes.plan import Plan, load_plan, make_plan
from cluster.runs import Run
from cluster.topology import Topology, store


def plan_of(run: Run, topology: Topology) -> Plan:
    """A plan as `up` would make it."""
    store(topology, run.path / "topology.json")
    return make_plan(run, topology, Random(7))


def test_every_server_worker_and_link_has_a_port_of_its_own(run: Run) -> None:
    """Three nodes of two workers: edge, Redis, 3 + 6 ports, and links of nodes, flusher and edge agent."""
    addresses = plan_of(run, Topology(edge_port=0)).addresses
    ports = [addresses.edge, addresses.redis, *addresses.nodes.values(), *addresses.workers.values()]
    ports += addresses.links.values()
    assert len(set(ports)) == len(ports) == 2 + 3 + 6 + 5
    assert list(addresses.links) == [
        "edge-agent→redis",
        "node-1→redis",
        "node-2→redis",
        "node-3→redis",
        "flusher→redis",
    ]


def test_whoever_comes_later_finds_the_same_addresses(run: Run) -> None:
    """A restart, in another process, must not invent new ones; before there is a plan there is none to find."""
    assert load_plan(run) is None
    assert plan_of(run, Topology(nodes=2)) == load_plan(run)


def test_a_node_reaches_redis_through_its_own_link(run: Run) -> None:
    """Each by another port, so that one can be cut and not the other; SQLite has no network and no link."""
    plan = plan_of(run, Topology())
    urls = {plan.redis_url(name) for name in ("node-1", "node-2", "node-3", "flusher")}
    assert len(urls) == 4
    assert plan.redis_url("node-1") == f"redis://127.0.0.1:{plan.addresses.links['node-1→redis']}/0"
    assert plan.database_url("node-1") == f"sqlite:///{run.path}/catalog.db"
    assert {link.to_port for link in plan.link_plans()} == {plan.addresses.redis}


def test_a_networked_database_is_reached_through_a_link_too(run: Run) -> None:
    """The URL that a node gets differs from the person's in its address only."""
    plan = plan_of(run, Topology(nodes=1, database_url="postgresql://ada:pw@db.example/shop"))
    port = plan.addresses.links["node-1→database"]
    assert plan.database_url("node-1") == f"postgresql://ada:pw@127.0.0.1:{port}/shop"
    assert plan.links_of("node-1") == ("node-1→redis", "node-1→database")
    assert ("db.example", 5432) in {(link.to_host, link.to_port) for link in plan.link_plans()}


def test_direct_leaves_the_links_out(run: Run) -> None:
    """For benchmarks: nothing between a node and Redis."""
    plan = plan_of(run, Topology(direct=True))
    assert plan.link_plans() == ()
    assert plan.redis_url("node-1") == f"redis://127.0.0.1:{plan.addresses.redis}/0"


def test_a_node_is_told_what_the_contract_lists(run: Run) -> None:
    """docs/contract.md §5, name by name; what the last life of the node left in its folder is cleared."""
    topology = Topology(strategy="ttl", write_path="write-behind", settings=(("TOCSIN_L1_TTL_S", "0.5"),))
    plan = plan_of(run, topology)
    folder = run.folder("node-2")
    (folder / "worker-1.pid").write_text("4711\n", encoding="ascii")
    environment = NodeServer(plan, "node-2").command().environment
    workers = [plan.addresses.workers[f"node-2/worker-{slot}"] for slot in (1, 2)]
    assert environment == {
        "CATALOG_NODE": "node-2",
        "CATALOG_SECRET": "a-secret-of-the-tests",
        "CATALOG_BIND": f"127.0.0.1:{plan.addresses.nodes['node-2']}",
        "CATALOG_WORKER_BINDS": f"127.0.0.1:{workers[0]},127.0.0.1:{workers[1]}",
        "CATALOG_RUN_DIR": str(folder),
        "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics"),
        "DATABASE_URL": plan.database_url("node-2"),
        "REDIS_URL": plan.redis_url("node-2"),
        "TOCSIN_STRATEGY": "ttl",
        "TOCSIN_WRITE_PATH": "write-behind",
        "TOCSIN_L1_TTL_S": "0.5",
    }
    assert not (folder / "worker-1.pid").exists()


def test_the_edge_is_told_of_every_node(run: Run) -> None:
    """Its prefix lies in the run folder, which is how its processes are found again."""
    plan = plan_of(run, Topology(nodes=2))
    command = EdgeServer(plan, Binary(run.path / "nginx", "1.31.3")).command()
    assert command.folder == run.path / "edge"
    configuration = (run.path / "edge" / "cluster.conf").read_text(encoding="utf-8")
    for port in plan.addresses.nodes.values():
        assert f"127.0.0.1:{port}" in configuration


def test_the_addresses_are_readable(run: Run) -> None:
    """`addresses.json` is for people too."""
    plan = plan_of(run, Topology())
    document = msgspec.json.decode((run.path / "addresses.json").read_bytes())
    assert document["links"]["node-1→redis"] == plan.addresses.links["node-1→redis"]
