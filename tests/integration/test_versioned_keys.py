"""Versioned keys: the list of products lives under a key that holds the namespace's version.

Bumping the version orphans every older key everywhere at once; the orphans die by their TTL.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from tests.integration.live import Cluster
from tests.until import until

pytestmark = pytest.mark.integration

LIST = "/api/products?category=kitchen&page=1&per_page=100"


@pytest.fixture
def shared(cluster: Cluster) -> redis.Redis:
    """The cluster's own Redis, to look at keys: it explains, the answers convict."""
    return redis.Redis.from_url(cluster.status()["redis"]["url"], decode_responses=True, protocol=2)


def list_keys(shared: redis.Redis) -> set[str]:
    """Keys of cached lists; the counters that hold versions are state, which stays."""
    found = set(shared.scan_iter(match="tocsin:{catalog}:*products:*", count=1000))
    return {key for key in found if not key.startswith("tocsin:{catalog}:version:")}


def test_a_bump_is_seen_by_every_worker_at_once(cluster: Cluster) -> None:
    """The first list read after an acknowledged write shows it, at every worker: the old key is no longer asked for."""
    cluster.needs_writes_in_the_database()
    workers = cluster.workers()
    listed = cluster.get(f"{next(iter(workers.values()))}{LIST}").json()
    product = listed["items"][0]["id"]
    for turn in range(5):
        for url in workers.values():  # cached under the present version at every worker
            cluster.get(f"{url}{LIST}")
        price = 40.25 + turn
        cluster.change_price(next(iter(workers.values())), product, price)
        for name, url in workers.items():
            shown = {item["id"]: item["price"] for item in cluster.get(f"{url}{LIST}").json()["items"]}
            assert shown[product] == price, f"{name} still lists the price before the write"


def test_racing_bumps_lose_none(cluster: Cluster, shared: redis.Redis) -> None:
    """Sixty concurrent writes through every node move the namespace's version by at least sixty."""
    nodes = [node["url"] for node in cluster.status()["nodes"]]
    secret = cluster.secret()

    def namespace_version() -> int:
        answer = cluster.get(f"{nodes[0]}/_tocsin/state", headers={"Tocsin-Secret": secret})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["namespaces"]["products"])

    before = namespace_version()
    with ThreadPoolExecutor(max_workers=12) as pool:
        versions = list(
            pool.map(
                lambda turn: cluster.change_price(nodes[turn % len(nodes)], 200 + turn % 6, 5 + turn)["version"],
                range(60),
            )
        )
    assert len(versions) == 60
    assert namespace_version() >= before + 60


def test_orphaned_keys_expire(cluster: Cluster, shared: redis.Redis) -> None:
    """Every cached list in Redis has a TTL, so what a bump orphans cannot stay for good."""
    cluster.needs_writes_in_the_database()
    node = cluster.status()["nodes"][0]["url"]
    cluster.get(f"{node}{LIST}")
    old = until(lambda: list_keys(shared), within_s=5, waiting_for="a cached list in Redis")
    cluster.change_price(node, 21, 3.75)
    cluster.get(f"{node}{LIST}")
    new = list_keys(shared) - old
    if cluster.status()["strategy"] != "sequenced":  # where a namespace is a name like a tag, and its keys stay
        assert new, "a write did not move the list to a new key"
    for key in old | new:
        remaining = shared.ttl(key)
        assert remaining == -2 or 0 <= remaining <= 60, f"{key} would stay for {remaining} s"
