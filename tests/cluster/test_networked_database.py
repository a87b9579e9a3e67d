"""A node and its database over a network: then there is a second link, and a second thing to be cut from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.cluster.live_cluster import LiveCluster
from tests.database_servers import postgresql_server
from tests.until import until

pytestmark = pytest.mark.integration


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LiveCluster]:
    """One node, and a PostgreSQL of the test's own."""
    with postgresql_server() as database:
        own = LiveCluster(tmp_path)
        own.do("up", "--nodes", "1", "--port", "0", "--database-url", database.fresh_database())
        yield own
        own.do("down")


def database_ok(url: str) -> bool:
    """What a worker's `/readyz` says of its database."""
    checks = requests.get(f"{url}/readyz", timeout=10).json()["checks"]
    return bool(checks["database"]["ok"])


def test_a_node_is_cut_from_its_database_alone_and_from_everything(cluster: LiveCluster) -> None:
    """From the database: Redis is still there. From all: neither is. Healed: both are."""
    status = cluster.status()
    assert status.database.kind == "postgresql"
    assert {"node-1→redis", "node-1→database"} <= {link.name for link in status.links or ()}
    worker = status.nodes[0].workers[0].url
    assert requests.get(f"{worker}/api/products/1", timeout=10).status_code == 200

    assert "cut node-1→database (blackhole)" in cluster.do("partition", "node-1", "--from", "database")
    until(lambda: not database_ok(worker), within_s=15, waiting_for="node-1 to miss its database")
    assert cluster.status().cut == ("node-1→database",)
    cluster.do("heal")
    until(cluster.all_ready, within_s=15, waiting_for="node-1 to have its database again")

    assert "cut node-1→redis, node-1→database (refuse)" in cluster.do(
        "partition", "node-1", "--from", "all", "--mode", "refuse"
    )
    until(lambda: not database_ok(worker), within_s=15, waiting_for="node-1 to miss its database again")
    cluster.do("heal")
    until(cluster.all_ready, within_s=15, waiting_for="node-1 to have everything again")
