"""Monitoring: what a scrape of one worker tells of its node, and that docs/monitoring.md tells of every metric."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from catalog.database import Database
from catalog.seed import initialise
from catalog.settings import database_url as parsed
from prometheus_client.parser import text_string_to_metric_families

from tests.catalog.metrics_reference import BEGIN, DOCUMENT, END, families, table
from tests.catalog.running_node import RunningNode, running_node
from tests.database_servers import DatabaseServer
from tests.redis_server import RedisServer
from tests.until import until


@pytest.fixture
def node(tmp_path: Path, sqlite_url: str, redis: RedisServer) -> Iterator[RunningNode]:
    """A node of two workers under `sequenced`, with its agent."""
    (tmp_path / "node").mkdir(mode=0o700)
    with running_node(tmp_path / "node", database_url=sqlite_url, redis_url=redis.url) as one:
        yield one


def scraped(url: str) -> dict[str, dict[str, float]]:
    """Every sample of a scrape: its name, then the values of its labels in the order of their names."""
    found: dict[str, dict[str, float]] = {}
    for family in text_string_to_metric_families(requests.get(f"{url}/metrics", timeout=5).text):
        for sample in family.samples:
            found.setdefault(sample.name, {})[" ".join(value for _, value in sorted(sample.labels.items()))] = (
                sample.value
            )
    return found


def test_one_scrape_tells_of_all_workers_of_the_node(node: RunningNode) -> None:
    """Sequence, epoch, lease and bound of each worker by name; the lag that the agent measured; the hit rate."""
    workers = {"node-1/worker-1", "node-1/worker-2"}
    until(
        lambda: scraped(node.url).get("tocsin_hears") == dict.fromkeys(workers, 1.0),
        within_s=20,
        waiting_for="both workers to hear",
    )
    requests.patch(f"{node.url}/api/products/7", json={"price": 1.5}, timeout=5).raise_for_status()
    until(
        lambda: set(scraped(node.url)["tocsin_sequence"].values()) == {2.0},
        within_s=10,
        waiting_for="both workers to show that they have applied the announcement and the finish",
    )
    for url in node.worker_urls:
        for _ in range(3):
            requests.get(f"{url}/api/products/7", timeout=5)
    until(
        lambda: scraped(node.url).get("tocsin_invalidation_lag_seconds_count", {}).get(""),
        within_s=10,
        waiting_for="the agent's first canary in its diary",
    )
    shown = scraped(node.url)
    assert shown["tocsin_epoch"].keys() == shown["tocsin_lease_seconds"].keys() == workers
    assert len(set(shown["tocsin_epoch"].values())) == 1
    assert all(0 <= bound_s <= 1.0 for bound_s in shown["tocsin_staleness_bound_seconds"].values())
    assert shown["tocsin_misses_total"]["cold l2"] == 1
    reads = sum(shown["tocsin_reads_total"].values())
    assert reads == 6
    assert shown["tocsin_hit_ratio"]["l1+l2"] == pytest.approx(1 - shown["tocsin_reads_total"]["no database"] / reads)
    assert sum(shown["tocsin_hit_grade"].values()) == 1
    assert shown["catalog_outbox_waiting"][""] == 0


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
def test_the_database_tells_its_own_hit_ratio(request: pytest.FixtureRequest, kind: str) -> None:
    """Where it keeps one: a part of what was asked, which is not nothing after a thousand products were stored."""
    server: DatabaseServer = request.getfixturevalue(kind)
    url = server.fresh_database()
    initialise(parsed({"DATABASE_URL": url}))
    database = Database(parsed({"DATABASE_URL": url}))
    # PostgreSQL publishes its statistics with a delay.
    until(database.own_hit_ratio, within_s=20, waiting_for="the database to have counted something")
    ratio = database.own_hit_ratio()
    database.close()
    assert ratio is not None
    assert 0 < ratio <= 1


def test_sqlite_has_none(sqlite_url: str) -> None:
    """It reads a file, and the file's pages are the kernel's business."""
    database = Database(parsed({"DATABASE_URL": sqlite_url}))
    assert database.own_hit_ratio() is None
    database.close()


def test_the_document_tells_of_every_metric() -> None:
    """Its table is the one that the metrics themselves make; `python -m tests.catalog.metrics_reference` writes it."""
    written = DOCUMENT.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert written == table(families())
