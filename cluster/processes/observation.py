"""Observation: the status of a run of plain processes, from its ledger, /proc, and the link process.

Nothing here asks a server a question that it could refuse to answer: a paused node must not hold up `status`. The link
process is asked only when it runs, and for a bounded time.
"""

from __future__ import annotations

from pathlib import Path

from cluster.errors import ClusterError
from cluster.link.client import LinkClient
from cluster.link.faults import PASS
from cluster.pid import Pid, look, state_of
from cluster.processes.node import worker_pid_file
from cluster.processes.plan import EDGE, EDGE_AGENT, FLUSHER, LINKS, REDIS, Plan
from cluster.status import Data, Endpoint, LinkState, Node, Server, State, Status

LOOK_S = 1.0


def observe(plan: Plan) -> Status:
    """What is so now."""
    leaders = plan.run.ledger.leaders()
    link_server = None if plan.topology.direct else _server(LINKS, leaders)
    links = None if link_server is None else _links(plan, link_server)
    return Status(
        launcher=plan.topology.launcher,
        run_dir=str(plan.run.path),
        strategy=plan.topology.strategy,
        write_path=plan.topology.write_path,
        secret_file=str(plan.run.secret_file),
        edge=_endpoint(EDGE, leaders, plan.url(plan.addresses.edge)),
        nodes=tuple(_node(plan, name, leaders) for name in plan.topology.node_names),
        redis=_endpoint(REDIS, leaders, f"redis://{plan.redis_address}/0"),
        database=Data(url=plan.database.url, kind=plan.database.kind),
        flusher=_server(FLUSHER, leaders),
        edge_agent=_server(EDGE_AGENT, leaders) if plan.topology.numbers else None,
        link_server=link_server,
        links=links,
        cut=tuple(link.name for link in links or () if not link.upstream == link.downstream == PASS.name),
    )


def worker_pid(folder: Path, slot: int, leader: Pid | None) -> Pid | None:
    """The process of a node's worker; None while there is none.

    The pid file outlives its worker, and the number may be somebody else's by now: only a process in the session of
    the node's own living leader is the worker.
    """
    try:
        number = int(worker_pid_file(folder, slot).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):  # not forked yet, or just being written
        return None
    seen = look(number)
    if leader is None or state_of(leader) is State.DEAD or seen is None or seen.session != leader.number:
        return None
    return None if seen.state is State.DEAD else seen.pid


def _server(name: str, leaders: dict[str, Pid]) -> Server:
    state = state_of(leaders.get(name))
    return Server(name=name, pid=_number(leaders.get(name), state), state=state)


def _endpoint(name: str, leaders: dict[str, Pid], url: str) -> Endpoint:
    state = state_of(leaders.get(name))
    return Endpoint(name=name, pid=_number(leaders.get(name), state), state=state, url=url)


def _node(plan: Plan, name: str, leaders: dict[str, Pid]) -> Node:
    leader = leaders.get(name)
    state = state_of(leader)
    folder = plan.run.path / name
    workers = []
    for slot, worker in enumerate(plan.topology.worker_names(name), start=1):
        pid = worker_pid(folder, slot, leader)
        url = plan.url(plan.addresses.workers[worker])
        workers.append(Endpoint(name=worker, pid=_number(pid, state_of(pid)), state=state_of(pid), url=url))
    url = plan.url(plan.addresses.nodes[name])
    return Node(name=name, pid=_number(leader, state), state=state, url=url, workers=tuple(workers))


def _links(plan: Plan, link_server: Server) -> tuple[LinkState, ...]:
    """What the link process says; where it can't, each link shows the state of the process instead of a fault."""
    unheard = "silent"
    if link_server.state is State.RUNNING:
        try:
            return LinkClient(plan.run.path / LINKS, plan.run.secret(), LOOK_S).look()
        except ClusterError:
            pass  # it hangs, or is just starting: said below
    else:
        unheard = str(link_server.state)
    return tuple(
        LinkState(
            name=link.name,
            listen=f"127.0.0.1:{link.port}",
            to=f"{link.to_host}:{link.to_port}",
            upstream=unheard,
            downstream=unheard,
            connections=0,
            accepted=0,
            broken=0,
            passed_bytes=(0, 0),
            swallowed_bytes=(0, 0),
        )
        for link in plan.link_plans()
    )


def _number(pid: Pid | None, state: State) -> int | None:
    return None if pid is None or state is State.DEAD else pid.number
