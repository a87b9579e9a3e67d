"""Cross-node consistency: a write through one node reaches every worker of every node.

The time it takes is reported, never judged tightly: the bound of each strategy is the examiner's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.integration.live import Cluster
from tests.until import until

pytestmark = pytest.mark.integration

CONVERGENCE_S = 10.0  # generous: the slowest strategy's L1 lives 2 s


def test_a_write_through_one_node_reaches_every_worker(
    cluster: Cluster, record_property: Callable[[str, object], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every worker of every node returns the new version, and none returns the old one after the new."""
    workers = cluster.workers()
    writer = cluster.status()["nodes"][0]["url"]
    for url in workers.values():  # every L1 holds the old value, so that there is something to invalidate
        cluster.version(url, 17)

    written = cluster.change_price(writer, 17, 12.50)["version"]
    acknowledged = time.monotonic()

    seen: dict[str, list[int]] = {name: [] for name in workers}

    def all_agree() -> bool:
        for name, url in workers.items():
            seen[name].append(cluster.version(url, 17))
        return all(versions[-1] >= written for versions in seen.values())

    until(all_agree, within_s=CONVERGENCE_S, waiting_for=f"all {len(workers)} workers at version {written}")
    convergence_ms = (time.monotonic() - acknowledged) * 1000
    record_property("convergence_ms", round(convergence_ms, 1))
    with capsys.disabled():
        print(f"\n  {len(workers)} workers agreed {convergence_ms:.0f} ms after the acknowledgement")

    for name, versions in seen.items():
        assert versions == sorted(versions), f"{name} went back in time: {versions}"


def test_every_node_can_write_and_every_version_counts(cluster: Cluster) -> None:
    """Thirty writes spread over the nodes give thirty consecutive versions, and all workers end at the last."""
    nodes = [node["url"] for node in cluster.status()["nodes"]]
    first = cluster.version(nodes[0], 18)
    versions = [cluster.change_price(nodes[turn % len(nodes)], 18, 10 + turn)["version"] for turn in range(30)]
    assert versions == list(range(versions[0], versions[0] + 30))
    assert versions[0] > first or versions[0] == first + 1
    workers = cluster.workers()
    until(
        lambda: {cluster.version(url, 18) for url in workers.values()} == {versions[-1]},
        within_s=CONVERGENCE_S,
        waiting_for=f"every worker at version {versions[-1]}",
    )


def test_a_new_product_replaces_the_cached_absence(cluster: Cluster) -> None:
    """A 404 that every worker had cached gives way to the product once it exists; a deletion spreads alike."""
    workers = cluster.workers()
    created = cluster.client.post(
        f"{cluster.edge}/api/products",
        json={"name": "Brass hand bell", "price": 24.0, "category": "kitchen", "description": "Rings for everybody."},
        timeout=10,
    )
    assert created.status_code == 201, created.text
    product = created.json()["id"]
    until(
        lambda: all(cluster.get(f"{url}/api/products/{product}").status_code == 200 for url in workers.values()),
        within_s=CONVERGENCE_S,
        waiting_for="the new product at every worker",
    )
    assert cluster.client.delete(f"{cluster.edge}/api/products/{product}", timeout=10).status_code == 200
    until(
        lambda: all(cluster.get(f"{url}/api/products/{product}").status_code == 404 for url in workers.values()),
        within_s=CONVERGENCE_S,
        waiting_for="the deletion at every worker",
    )


def test_the_same_write_twice_is_applied_once(cluster: Cluster) -> None:
    """A retry with the same Idempotency-Key, through another node, answers what the first answered."""
    one, two = (node["url"] for node in cluster.status()["nodes"][:2])
    headers = {"Idempotency-Key": f"retry-{time.monotonic_ns()}"}
    first = cluster.client.patch(f"{one}/api/products/19", json={"price": 7.25}, headers=headers, timeout=10)
    again = cluster.client.patch(f"{two}/api/products/19", json={"price": 7.25}, headers=headers, timeout=10)
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert again.headers["Idempotency-Replayed"] == "true"
    other = cluster.client.patch(f"{two}/api/products/19", json={"price": 8.25}, headers=headers, timeout=10)
    assert other.status_code == 422


def test_a_lost_update_is_refused(cluster: Cluster) -> None:
    """If-Match with the ETag of an older version answers 412 and changes nothing."""
    node = cluster.status()["nodes"][0]["url"]
    before = cluster.get(f"{node}/api/products/20")
    cluster.change_price(node, 20, 31.0)
    refused = cluster.client.put(
        f"{node}/api/products/20",
        json={key: before.json()[key] for key in ("name", "price", "category", "description")},
        headers={"If-Match": before.headers["ETag"]},
        timeout=10,
    )
    assert refused.status_code == 412
    assert refused.headers["Content-Type"].startswith("application/problem+json")


def test_each_worker_answers_under_its_own_name(cluster: Cluster) -> None:
    """One worker can be asked by name: its address answers with that worker's X-Worker, every time."""
    for name, url in cluster.workers().items():
        answers = [cluster.get(f"{url}/api/products/1") for _ in range(5)]
        assert {answer.headers["X-Worker"] for answer in answers} == {name}
        assert {answer.headers["X-Node"] for answer in answers} == {name.partition("/")[0]}
