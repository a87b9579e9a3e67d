"""A node cut off from Redis answers by its policy, says so, and agrees again once it is healed."""

from __future__ import annotations

import pytest
import requests

from tests.integration.live import Cluster
from tests.until import until

pytestmark = pytest.mark.integration


def readiness(url: str) -> requests.Response:
    return requests.get(f"{url}/readyz", timeout=10)


@pytest.mark.parametrize("mode", ["blackhole", "refuse"])
def test_a_node_cut_from_redis_answers_says_so_and_agrees_again(cluster: Cluster, mode: str) -> None:
    """Reads go on from the database; `/readyz` names Redis; after `heal` all workers agree on the newest version."""
    one, two = cluster.node("node-1"), cluster.node("node-2")
    for url in cluster.workers().values():
        cluster.version(url, 401)
    listens = cluster.status()["strategy"] not in ("no-cache", "l2-only", "ttl", "versioned")
    missed = {"redis", "backplane"} if listens else {"redis"}
    cut = cluster.command("partition", "node-2", "--mode", mode, check=False)
    if "is refused:" in cut.stderr:
        pytest.skip(cut.stderr.strip())  # the launcher's own reason
    assert cut.returncode == 0, cut.stdout + cut.stderr
    assert "node-2" in cut.stdout
    worker = two["workers"][0]["url"]
    until(
        lambda: {name for name, check in readiness(worker).json()["checks"].items() if not check["ok"]} == missed,
        within_s=15,
        waiting_for=f"node-2 to miss {missed} and nothing else",
    )
    assert readiness(worker).status_code == 503
    assert readiness(one["url"]).status_code == 200

    written = cluster.change_price(one["url"], 401, 77.0)["version"]
    until(
        lambda: cluster.version(worker, 401) >= written,
        within_s=10,
        waiting_for="the cut node to read the new version from the database once its L1 entry has expired",
    )

    cluster.command("heal")
    until(lambda: readiness(worker).status_code == 200, within_s=20, waiting_for="node-2 to hear again")
    final = cluster.change_price(one["url"], 401, 78.0)["version"]
    until(
        lambda: {cluster.version(url, 401) for url in cluster.workers().values()} == {final},
        within_s=10,
        waiting_for=f"every worker at version {final} after the heal",
    )


def test_a_write_through_a_cut_node_is_kept_and_published_later(cluster: Cluster) -> None:
    """The write commits, its answer says `Tocsin-Pending`, and the others hear of it without waiting for a heal."""
    cluster.needs_writes_in_the_database()
    cut = cluster.node("node-3")["workers"][0]["url"]
    others = [worker["url"] for name in ("node-1", "node-2") for worker in cluster.node(name)["workers"]]
    for url in (cut, *others):
        cluster.version(url, 402)
    cluster.command("partition", "node-3")
    until(lambda: readiness(cut).status_code == 503, within_s=15, waiting_for="node-3 to say that it is cut off")
    answer = requests.patch(f"{cut}/api/products/402", json={"price": 55.5}, timeout=10)
    assert answer.status_code == 200
    assert answer.headers["Tocsin-Pending"] == "true"
    written = answer.json()["version"]
    until(
        lambda: all(cluster.version(url, 402) >= written for url in others),
        within_s=10,
        waiting_for="the other nodes to hear what the cut node could not say",
    )
