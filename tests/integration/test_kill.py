"""kill -9, under traffic: reads keep answering, acknowledged writes stay, and who returns starts clean."""

from __future__ import annotations

import pytest
import requests

from tests.integration.live import Cluster
from tests.integration.traffic import Traffic
from tests.until import until

pytestmark = pytest.mark.integration

PRODUCTS = range(301, 305)


def everybody_has_what_was_acknowledged(cluster: Cluster, acknowledged: dict[int, int]) -> None:
    """Every worker returns, for each product, the newest acknowledged version or a newer one."""
    workers = cluster.workers()

    def behind() -> list[str]:
        return [
            f"{name} returns version {cluster.version(url, product)} of product {product}, not yet {version}"
            for product, version in acknowledged.items()
            for name, url in workers.items()
            if cluster.version(url, product) < version
        ]

    # L2's TTL and some: the weakest strategy that these tests may be pointed at promises no more than that.
    until(lambda: not behind(), within_s=35, waiting_for="every worker to return what was acknowledged", every_s=0.25)


def test_killing_a_worker_under_traffic_costs_no_read_and_no_write(cluster: Cluster) -> None:
    """The arbiter replaces the worker under the same name and address; no read through the edge fails."""
    before = cluster.node("node-1")["workers"][0]
    with Traffic(cluster.edge, PRODUCTS) as traffic:
        until(lambda: traffic.reads > 50, within_s=20, waiting_for="traffic before the kill")
        said = cluster.command("kill", "node-1/worker-1").stdout
        assert "node-1/worker-1" in said
        so_far = traffic.reads
        until(lambda: traffic.reads > so_far + 100, within_s=20, waiting_for="traffic after the kill")
    assert not traffic.failed_reads
    until(
        lambda: cluster.node("node-1")["workers"][0]["pid"] not in (None, before["pid"]),
        within_s=20,
        waiting_for="gunicorn to replace worker-1",
    )
    after = cluster.node("node-1")["workers"][0]
    assert (after["name"], after["url"]) == (before["name"], before["url"])
    assert requests.get(f"{after['url']}/api/products/1", timeout=10).headers["X-Worker"] == "node-1/worker-1"
    everybody_has_what_was_acknowledged(cluster, traffic.acknowledged)


def test_killing_a_node_under_traffic_costs_no_read(cluster: Cluster) -> None:
    """The edge goes on with the others at once; the dead node says so in `status`; acknowledged writes survive."""
    with Traffic(cluster.edge, PRODUCTS) as traffic:
        until(lambda: traffic.reads > 50, within_s=20, waiting_for="traffic before the kill")
        cluster.command("kill", "node-2")
        assert cluster.node("node-2")["state"] == "dead"
        so_far = traffic.reads
        until(lambda: traffic.reads > so_far + 200, within_s=20, waiting_for="traffic on the nodes that are left")
        assert cluster.node("node-2")["state"] == "dead", "nobody restarts a killed node but its user"
        cluster.command("restart", "node-2")
        until(cluster.ready, within_s=30, waiting_for="node-2 to be ready again", every_s=0.1)
        so_far = traffic.reads
        until(lambda: traffic.reads > so_far + 100, within_s=20, waiting_for="traffic after the return")
    assert not traffic.failed_reads
    assert len(traffic.acknowledged) == len(PRODUCTS)
    everybody_has_what_was_acknowledged(cluster, traffic.acknowledged)


def test_a_node_returns_with_a_clean_l1(cluster: Cluster) -> None:
    """What changed while a node was dead is what it returns, from its first answer on; its old L1 died with it."""
    workers = cluster.node("node-3")["workers"]
    for worker in workers:
        cluster.version(worker["url"], 310)
    cluster.command("kill", "node-3")
    written = cluster.change_price(cluster.status()["nodes"][0]["url"], 310, 61.5)["version"]
    cluster.command("restart", "node-3")
    for worker in cluster.node("node-3")["workers"]:
        answer = requests.get(f"{worker['url']}/api/products/310", timeout=10)
        assert answer.json()["version"] == written
        assert "tocsin-l1; hit" not in answer.headers["Cache-Status"].replace(";", "; ").replace("  ", " ")


def test_a_paused_node_costs_a_read_a_second_at_most(cluster: Cluster) -> None:
    """A node that accepts and never answers is left out: every read through the edge still succeeds."""
    with Traffic(cluster.edge, PRODUCTS) as traffic:
        until(lambda: traffic.reads > 50, within_s=20, waiting_for="traffic before the pause")
        cluster.command("pause", "node-1")
        assert cluster.node("node-1")["state"] == "paused"
        so_far = traffic.reads
        until(lambda: traffic.reads > so_far + 200, within_s=30, waiting_for="traffic around the paused node")
        cluster.command("resume", "node-1")
    assert not traffic.failed_reads
    assert cluster.node("node-1")["state"] == "running"
