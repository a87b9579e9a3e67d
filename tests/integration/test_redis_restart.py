"""Redis killed and restarted empty: a cache may forget, it may not lie."""

from __future__ import annotations

import pytest
import redis
import requests

from tests.integration.live import Cluster
from tests.until import until

pytestmark = pytest.mark.integration


def test_redis_restarted_empty_gives_no_wrong_answer_and_recovers_by_itself(cluster: Cluster) -> None:
    """While Redis is dead, and after it came back empty, nobody answers an older version than was acknowledged."""
    cluster.needs_writes_in_the_database()
    workers = cluster.workers()
    node = cluster.status()["nodes"][0]["url"]
    before = cluster.change_price(node, 501, 10.0)["version"]
    until(
        lambda: {cluster.version(url, 501) for url in workers.values()} == {before},
        within_s=10,
        waiting_for="every worker at the version before the crash",
    )
    cluster.command("kill", "redis")
    assert cluster.status()["redis"]["state"] == "dead"
    for name, url in workers.items():
        assert cluster.version(url, 501) >= before, f"{name} without Redis"
    during = cluster.change_price(node, 501, 11.0)["version"]

    cluster.command("restart", "redis")
    store = redis.Redis.from_url(cluster.status()["redis"]["url"], protocol=2)
    assert store.ping()
    until(
        lambda: all(requests.get(f"{url}/readyz", timeout=10).status_code == 200 for url in workers.values()),
        within_s=20,
        waiting_for="every worker to reach Redis and hear its backplane again",
    )
    until(
        lambda: {cluster.version(url, 501) for url in workers.values()} == {during},
        within_s=10,
        waiting_for=f"every worker at version {during}, written while Redis was dead",
    )
    after = cluster.change_price(node, 501, 12.0)["version"]
    until(
        lambda: {cluster.version(url, 501) for url in workers.values()} == {after},
        within_s=10,
        waiting_for=f"invalidations to travel again: every worker at version {after}",
    )


def test_flushall_is_forgetting_too(cluster: Cluster) -> None:
    """FLUSHALL under a running cluster: the next answers are right, and lists move to a never-used version."""
    cluster.needs_writes_in_the_database()
    node = cluster.status()["nodes"][0]["url"]
    written = cluster.change_price(node, 502, 21.0)["version"]
    until(
        lambda: all(cluster.version(url, 502) >= written for url in cluster.workers().values()),
        within_s=10,
        waiting_for="every worker to hear of the write",
    )
    redis.Redis.from_url(cluster.status()["redis"]["url"], protocol=2).flushall()
    for url in cluster.workers().values():
        assert cluster.version(url, 502) >= written
        listed = cluster.get(f"{url}/api/products?page=6&per_page=100").json()
        assert next(item["price"] for item in listed["items"] if item["id"] == 502) == 21.0
