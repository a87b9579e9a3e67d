"""Write-behind: acknowledged from Redis, in the database a moment later, and honest about it meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from tests.integration.live import Cluster
from tests.until import until

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of its own, on SQLite, whose flusher is what stands between Redis and the database."""
    own = Cluster(runs=tmp_path_factory.mktemp("runs"))
    own.command("up", "--port", "0", "--nodes", "2", "--workers", "1", "--write-path", "write-behind")
    try:
        yield own
    finally:
        own.command("down")


def audited(cluster: Cluster, product: int) -> list[int]:
    """The versions that writers (not the seeding) gave a product, by the audit table, in the order of their commits."""
    path = cluster.status()["database"]["url"].removeprefix("sqlite:///")
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5)
    try:
        rows = connection.execute(
            "SELECT version FROM audit WHERE key = ? AND node <> 'init-db' ORDER BY id", (f"product:{product}",)
        )
        return [version for (version,) in rows]
    finally:
        connection.close()


def test_a_dirty_write_is_read_everywhere_before_it_is_in_the_database(behind: Cluster) -> None:
    """With the flusher paused nothing reaches the database, and every worker answers the new version all the same."""
    one, two = (node["url"] for node in behind.status()["nodes"])
    behind.command("pause", "flusher")
    acknowledged = behind.change_price(one, 601, 5.5)
    assert acknowledged["durable"] is False
    until(
        lambda: all(behind.version(url, 601) == acknowledged["version"] for url in behind.workers().values()),
        within_s=10,
        waiting_for="every worker to answer the dirty version",
    )
    assert audited(behind, 601) == []
    behind.command("resume", "flusher")
    until(lambda: audited(behind, 601) == [acknowledged["version"]], within_s=20, waiting_for="the flusher to drain")
    assert behind.version(two, 601) == acknowledged["version"]


def test_every_acknowledged_operation_arrives_once_and_in_order(behind: Cluster) -> None:
    """Twenty writes through two nodes, the flusher killed among them: twenty audit rows, consecutive, none twice."""
    nodes = [node["url"] for node in behind.status()["nodes"]]
    versions = [behind.change_price(nodes[turn % 2], 602, 10 + turn)["version"] for turn in range(10)]
    behind.command("kill", "flusher")
    versions += [behind.change_price(nodes[turn % 2], 602, 30 + turn)["version"] for turn in range(10)]
    behind.command("restart", "flusher")
    assert versions == list(range(versions[0], versions[0] + 20))
    until(lambda: audited(behind, 602) == versions, within_s=40, waiting_for="twenty audit rows in order")
