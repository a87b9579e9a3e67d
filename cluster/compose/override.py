"""Override: what one run adds to docker-compose.yml, as a second compose file in the run folder.

docker-compose.yml holds everything that is true of every cluster; this adds the counts, the fixed ports, and the edge's
list of nodes. Written as text: it is small, and `!override` is YAML that no JSON writer knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

from cluster.compose.plan import (
    COMPOSE_FILE,
    EDGE,
    EDGE_AGENT,
    EDGE_INSIDE,
    FLUSHER,
    NODE_INSIDE,
    OVERRIDE,
    POSTGRES,
    POSTGRES_INSIDE,
    REDIS,
    REDIS_INSIDE,
    Plan,
)
from cluster.edge import RULES, render_cluster
from cluster.ports import LOOPBACK
from cluster.seal import switches

WRITTEN_NODES = 3  # node-1 to node-3 stand in docker-compose.yml
RUN_INSIDE = "/run/tocsin"
EVERYWHERE = "0.0.0.0"  # noqa: S104  # inside a container; only loopback ports are published


def write_override(plan: Plan) -> Path:
    """Write `compose.yaml` and the edge's cluster.conf into the run folder; return the former."""
    configuration = plan.run.folder(EDGE) / "cluster.conf"
    text = edge_configuration(plan.topology.nodes, hears=plan.topology.numbers)
    configuration.write_text(text, encoding="utf-8")
    configuration.chmod(0o644)  # read by the container's own user; it holds no secret
    path = plan.run.path / OVERRIDE
    path.write_text("\n".join(_lines(plan, configuration)) + "\n", encoding="utf-8")
    return path


def edge_configuration(nodes: int, *, hears: bool) -> str:
    """cluster.conf for an edge in a container: nodes by name, asked of Docker's own DNS again every second.

    `hears`: its agent, in a container of its own, tells it of invalidations, through a volume that both have.
    """
    return render_cluster(
        listen=f"{EVERYWHERE}:{EDGE_INSIDE}",
        servers=[f"node-{number}:{NODE_INSIDE}" for number in range(1, nodes + 1)],
        secret="include /var/lib/tocsin/edge-secret;",  # noqa: S106  # where it lies, not what it is
        access_log="/dev/stdout",
        resolver="127.0.0.11 valid=1s ipv6=off",
        control="/run/edge-control/socket" if hears else None,
    )


def compose_default() -> Path:
    """The committed cluster.conf that a plain `docker compose up` mounts: `edge_configuration` of the default."""
    return RULES / "compose" / "cluster.conf"


def _lines(plan: Plan, configuration: Path) -> Iterator[str]:
    addresses, nodes = plan.addresses, plan.topology.node_names
    yield "# Generated for this run by cluster/compose/override.py."
    yield "services:"
    yield f"  {EDGE}:"
    yield _ports([(addresses.edge, EDGE_INSIDE)])
    yield f"    volumes: [{json.dumps(f'{configuration}:/etc/nginx/cluster.conf:ro')}]"
    yield f"    depends_on: !override {json.dumps({node: {'condition': 'service_healthy'} for node in nodes})}"
    if not plan.topology.numbers:
        yield f"  {EDGE_AGENT}:"
        yield "    profiles: [not-in-this-run]"
    yield f"  {REDIS}:"
    yield _ports([(addresses.redis, REDIS_INSIDE)])
    yield f"  {POSTGRES}:"
    yield _ports([(addresses.database, POSTGRES_INSIDE)])
    yield f"  {FLUSHER}:"
    yield f"    environment: {json.dumps(dict(plan.topology.settings) | _switches(plan))}"
    for number, node in enumerate(nodes, start=1):
        yield f"  {node}:"
        if number > WRITTEN_NODES:
            yield f"    extends: {json.dumps({'file': str(COMPOSE_FILE), 'service': 'node-1'})}"
        yield from _node(plan, node)
    for number in range(len(nodes) + 1, WRITTEN_NODES + 1):
        yield f"  node-{number}:"
        yield "    profiles: [not-in-this-run]"


def _node(plan: Plan, node: str) -> Iterator[str]:
    workers = plan.topology.worker_names(node)
    inside = [NODE_INSIDE + slot for slot in range(1, len(workers) + 1)]
    settings = (
        dict(plan.topology.settings)
        | _switches(plan)
        | {
            "CATALOG_NODE": node,
            "CATALOG_WORKER_BINDS": ",".join(f"{EVERYWHERE}:{port}" for port in inside),
        }
    )
    published = [plan.addresses.workers[worker] for worker in workers]
    yield f"    environment: {json.dumps(settings)}"
    yield _ports([(plan.addresses.nodes[node], NODE_INSIDE), *zip(published, inside, strict=True)])


def _switches(plan: Plan) -> dict[str, str]:
    return switches(plan.run, trace_folder=f"{RUN_INSIDE}/trace")


def _ports(pairs: Iterable[tuple[int, int]]) -> str:
    return f"    ports: !override {json.dumps([f'{LOOPBACK}:{published}:{inside}' for published, inside in pairs])}"
