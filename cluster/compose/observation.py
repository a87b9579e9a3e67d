"""Observation: the status of a run under compose, from the engine alone.

Nothing here asks a server a question that it could refuse to answer; each question to the engine is bounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from cluster.compose.containers import Container, containers_of
from cluster.compose.engine import NoEngineError
from cluster.compose.plan import CACHE, DATA, EDGE, EDGE_AGENT, FLUSHER, REDIS, Plan, network
from cluster.compose.workers import Worker, workers_of
from cluster.launcher import Peer
from cluster.link.name import link_name
from cluster.ports import LOOPBACK
from cluster.status import Data, Endpoint, Node, Server, State, Status

# What a node is cut from when it is not on this network.
NETWORK_OF = {Peer.REDIS: CACHE, Peer.DATABASE: DATA}


def observe(plan: Plan) -> Status:
    """What is so now. Without an engine nothing runs: everything is dead."""
    try:
        found = containers_of(plan.project)
    except NoEngineError:
        found = {}
    addresses, topology = plan.addresses, plan.topology
    with ThreadPoolExecutor(max_workers=8) as pool:  # each question takes the engine a tenth of a second
        asked = {name: pool.submit(_workers, found.get(name), topology.workers) for name in topology.node_names}
    return Status(
        launcher=topology.launcher,
        run_dir=str(plan.run.path),
        strategy=topology.strategy,
        write_path=topology.write_path,
        secret_file=str(plan.run.secret_file),
        edge=_endpoint(EDGE, found.get(EDGE), plan.url(addresses.edge)),
        nodes=tuple(_node(plan, name, found.get(name), asked[name].result()) for name in topology.node_names),
        redis=_endpoint(REDIS, found.get(REDIS), f"redis://{LOOPBACK}:{addresses.redis}/0"),
        database=Data(url=plan.database_url, kind="postgresql"),
        flusher=_server(FLUSHER, found.get(FLUSHER)),
        edge_agent=_server(EDGE_AGENT, found.get(EDGE_AGENT)) if topology.numbers else None,
        cut=tuple(cuts(plan, found)),
    )


def cuts(plan: Plan, found: Mapping[str, Container]) -> dict[str, tuple[Container, str]]:
    """Every path that is cut, by its link's name: the container, and the network that it is not on."""
    cut = {}
    for name in (*plan.topology.node_names, FLUSHER, EDGE_AGENT):
        container = found.get(name)
        for peer in peers_of(name):
            wanted = network(plan.project, NETWORK_OF[peer])
            if container is not None and wanted not in container.networks:
                cut[link_name(name, peer)] = (container, wanted)
    return cut


def peers_of(name: str) -> tuple[Peer, ...]:
    """Whom a container can be cut off from: the edge's agent knows Redis alone."""
    return (Peer.REDIS,) if name == EDGE_AGENT else tuple(NETWORK_OF)


def _workers(container: Container | None, count: int) -> dict[int, Worker]:
    return {} if container is None else workers_of(container, count)


def _server(name: str, container: Container | None) -> Server:
    return Server(name=name, pid=container.pid if container else None, state=_state(container))


def _endpoint(name: str, container: Container | None, url: str) -> Endpoint:
    return Endpoint(name=name, pid=container.pid if container else None, state=_state(container), url=url)


def _node(plan: Plan, name: str, container: Container | None, workers: dict[int, Worker]) -> Node:
    state = _state(container)
    missing = State.PAUSED if state is State.PAUSED else State.DEAD  # frozen: nobody can look in
    shown = []
    for slot, worker in enumerate(plan.topology.worker_names(name), start=1):
        seen = workers.get(slot)
        url = plan.url(plan.addresses.workers[worker])
        pid, worker_state = (seen.pid, seen.state) if seen else (None, missing)
        shown.append(Endpoint(name=worker, pid=pid, state=worker_state, url=url))
    url = plan.url(plan.addresses.nodes[name])
    pid = container.pid if container else None
    return Node(name=name, pid=pid, state=state, url=url, workers=tuple(shown))


def _state(container: Container | None) -> State:
    return State.DEAD if container is None else container.state
