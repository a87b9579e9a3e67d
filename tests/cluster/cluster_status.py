"""A status of two nodes to try things on, without a cluster."""

from __future__ import annotations

import msgspec

from cluster.status import Data, Endpoint, LinkState, Node, Server, State, Status

RUNNING = State.RUNNING


def _node(name: str, port: int, pid: int) -> Node:
    workers = tuple(
        Endpoint(name=f"{name}/worker-{slot}", pid=pid + slot, state=RUNNING, url=f"http://127.0.0.1:{port + slot}")
        for slot in (1, 2)
    )
    return Node(name=name, pid=pid, state=RUNNING, url=f"http://127.0.0.1:{port}", workers=workers)


def link(name: str, upstream: str = "pass", downstream: str = "pass") -> LinkState:
    """A link with some traffic behind it."""
    return LinkState(
        name=name,
        listen="127.0.0.1:21010",
        to="127.0.0.1:21001",
        upstream=upstream,
        downstream=downstream,
        connections=3,
        accepted=4,
        broken=1,
        passed_bytes=(1000, 2000),
        swallowed_bytes=(70, 0),
    )


STATUS = Status(
    launcher="processes",
    run_dir="/clone/runs/20261123T081500Z-3f9a",
    strategy="pubsub",
    write_path="cache-aside",
    secret_file="/clone/runs/20261123T081500Z-3f9a/secret",
    edge=Endpoint(name="edge", pid=400, state=RUNNING, url="http://127.0.0.1:8080"),
    nodes=(_node("node-1", 21002, 100), _node("node-2", 21005, 200)),
    redis=Endpoint(name="redis", pid=300, state=RUNNING, url="redis://127.0.0.1:21001/0"),
    database=Data(url="sqlite:////clone/runs/20261123T081500Z-3f9a/catalog.db", kind="sqlite"),
    flusher=Server(name="flusher", pid=500, state=RUNNING),
    link_server=Server(name="links", pid=600, state=RUNNING),
    links=(link("node-1→redis"), link("node-2→redis"), link("flusher→redis")),
)


def with_states(**states: State) -> Status:
    """The same with some servers in other states: `node_2=State.DEAD`, `redis=State.PAUSED`."""
    changed = {name.replace("_", "-"): state for name, state in states.items()}
    nodes = tuple(msgspec.structs.replace(node, state=changed.get(node.name, node.state)) for node in STATUS.nodes)
    redis = msgspec.structs.replace(STATUS.redis, state=changed.get("redis", RUNNING))
    return msgspec.structs.replace(STATUS, nodes=nodes, redis=redis)
