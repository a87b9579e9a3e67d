"""`sequenced`: a node that can't prove that it heard everything stops answering from its own memory.

Its L1 entries would live for ten minutes here, so that nothing but the lease can end them.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.integration.live import Cluster
from tests.until import until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def sequenced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of its own: two nodes of two workers."""
    own = Cluster(runs=tmp_path_factory.mktemp("runs"))
    lasting = ("--set", "TOCSIN_L1_TTL_S=600", "--set", "TOCSIN_L2_TTL_S=600")
    own.command("up", "--port", "0", "--nodes", "2", "--strategy", "sequenced", *lasting)
    try:
        yield own
    finally:
        own.command("down")


def layers(cluster: Cluster, product: int) -> dict[str, str]:
    """Cache-Status of one read of every worker."""
    return {
        name: requests.get(f"{url}/api/products/{product}", timeout=10).headers["Cache-Status"]
        for name, url in cluster.workers().items()
    }


def every_l1_holds(cluster: Cluster, product: int) -> bool:
    return all("tocsin-l1;hit" in status for status in layers(cluster, product).values())


def agreed(cluster: Cluster, product: int, version: int) -> bool:
    return {cluster.version(url, product) for url in cluster.workers().values()} == {version}


def test_a_cut_node_stops_using_its_l1(sequenced: Cluster) -> None:
    """What it holds is true for ten minutes more by its clock; cut from Redis it answers the new version."""
    until(lambda: every_l1_holds(sequenced, 701), within_s=10, waiting_for="the product in every L1")
    cut = sequenced.node("node-2")["workers"]
    sequenced.command("partition", "node-2")
    written = sequenced.change_price(sequenced.node("node-1")["url"], 701, 12.0)["version"]
    until(
        lambda: {sequenced.version(worker["url"], 701) for worker in cut} == {written},
        within_s=10,
        waiting_for="the cut node to give up what it holds",
    )
    sequenced.command("heal")
    until(lambda: every_l1_holds(sequenced, 701), within_s=20, waiting_for="L1 to be used again after the heal")
    assert agreed(sequenced, 701, written)


def test_a_paused_node_wakes_up_to_the_truth(sequenced: Cluster) -> None:
    """A write while a node is frozen: its first answers after the pause are new, though its L1 still holds the old."""
    until(lambda: every_l1_holds(sequenced, 702), within_s=10, waiting_for="the product in every L1")
    sequenced.command("pause", "node-2")
    written = sequenced.change_price(sequenced.node("node-1")["url"], 702, 13.0)["version"]
    sequenced.command("resume", "node-2")
    until(lambda: agreed(sequenced, 702, written), within_s=10, waiting_for="every worker at the new version")


def test_redis_restarted_empty_brings_nothing_back(sequenced: Cluster) -> None:
    """A new epoch: what the workers hold of the old one is no hit any more, and L1 is used again by and by."""
    until(lambda: every_l1_holds(sequenced, 703), within_s=10, waiting_for="the product in every L1")
    sequenced.command("kill", "redis")
    written = sequenced.change_price(sequenced.node("node-1")["url"], 703, 14.0)["version"]
    sequenced.command("restart", "redis")
    until(
        lambda: agreed(sequenced, 703, written), within_s=15, waiting_for="every worker at what was written meanwhile"
    )
    until(lambda: every_l1_holds(sequenced, 703), within_s=20, waiting_for="L1 to be used in the new epoch")
    assert agreed(sequenced, 703, written)


def test_what_a_cut_node_wrote_before_it_was_killed_is_known_without_the_flusher(sequenced: Cluster) -> None:
    """Cut off from Redis it commits and can tell nobody; then it is killed, and no flusher runs: the other node's agent
    finishes the write from the outbox, and its workers give up an entry that would live for ten minutes.
    """
    until(lambda: every_l1_holds(sequenced, 704), within_s=10, waiting_for="the product in every L1")
    others = [worker["url"] for worker in sequenced.node("node-1")["workers"]]
    sequenced.command("kill", "flusher")
    sequenced.command("partition", "node-2")
    answer = requests.patch(
        f"{sequenced.node('node-2')['workers'][0]['url']}/api/products/704", json={"price": 15.0}, timeout=10
    )
    assert (answer.status_code, answer.headers["Tocsin-Pending"]) == (200, "true")
    sequenced.command("kill", "node-2")
    written = answer.json()["version"]
    until(
        lambda: {sequenced.version(url, 704) for url in others} == {written},
        within_s=10,
        waiting_for="the living node to show what the dead one wrote",
    )
    sequenced.command("heal")
    for name in ("node-2", "flusher"):
        sequenced.command("restart", name)
    until(lambda: every_l1_holds(sequenced, 704), within_s=30, waiting_for="L1 to be used by all again")
    assert agreed(sequenced, 704, written)
