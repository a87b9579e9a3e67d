"""The edge hears: what it stores is never shown after it has heard that it is untrue, whatever happens to whom."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest
import requests

from tests.integration.live import Cluster
from tests.until import until

pytestmark = pytest.mark.integration

LEASE_S = 1.0
HEARD_S = 10.0  # far more than it takes; how long it takes is measured in bench/


@pytest.fixture
def edge(cluster: Cluster) -> Iterator[str]:
    """The address of an edge that hears, and is left as it was found."""
    if cluster.status().get("edge_agent") is None:
        pytest.skip("this strategy numbers nothing, so its edge hears nothing")
    address = cluster.edge
    yield address
    cluster.mend()


def member(answer: requests.Response) -> str:
    """The edge's own member of Cache-Status."""
    return answer.headers.get("Cache-Status", "").split(", ")[-1]


def read(edge: str, product: int) -> requests.Response:
    """A read without any session."""
    return requests.get(f"{edge}/api/products/{product}", timeout=10)


def stored(edge: str, product: int) -> requests.Response:
    """Read until the edge answers from its store."""
    answer = until(
        lambda: found if member(found := read(edge, product)).startswith("edge; hit") else None,
        within_s=HEARD_S,
        waiting_for=f"a hit of the edge on product {product}",
        every_s=0.02,
    )
    assert answer is not None
    return answer


def heard(edge: str, product: int, version: int) -> None:
    """Wait until the edge shows a version, and see that it never goes back."""
    until(
        lambda: read(edge, product).json()["version"] == version,
        within_s=HEARD_S,
        waiting_for=f"version {version} of product {product} at the edge",
        every_s=0.005,
    )
    assert stored(edge, product).json()["version"] == version


def bypassed(edge: str, product: int) -> None:
    """Wait until the edge says that it can prove nothing."""
    until(
        lambda: "detail=lease" in member(read(edge, product)),
        within_s=HEARD_S,
        waiting_for="the edge to go past its store for want of a lease",
        every_s=0.02,
    )


def test_a_write_through_any_node_is_heard_at_the_edge(cluster: Cluster, edge: str) -> None:
    """Each time the edge had the answer stored, and nothing but the invalidation could end it: it has a minute."""
    for node in cluster.status()["nodes"]:
        for price in (10.0, 11.0):
            before = stored(edge, 601)
            written = cluster.change_price(node["url"], 601, price)
            heard(edge, 601, written["version"])
            assert before.json()["version"] < written["version"]


def test_every_list_that_may_show_it_falls_with_a_product(cluster: Cluster, edge: str) -> None:
    """By the namespace that all lists carry, whatever page, and whatever the category was."""
    pages = [f"{edge}/api/products?page={page}" for page in (1, 2)]
    pages.append(f"{edge}/api/products?category=toys")

    def hits(page: str) -> bool:
        return member(requests.get(page, timeout=10)).startswith("edge; hit")

    def falls(page: str) -> bool:
        return not hits(page)

    for page in pages:
        until(partial(hits, page), within_s=HEARD_S, waiting_for=f"a hit on {page}")
    cluster.change_price(cluster.node("node-1")["url"], 602, 12.0)
    for page in pages:
        fell = partial(falls, page)
        until(fell, within_s=HEARD_S, waiting_for=f"{page} to fall", every_s=0.005)


def test_a_session_reads_its_own_writes_through_the_edge_at_once(cluster: Cluster, edge: str) -> None:
    """No waiting: the read is sent as soon as the write is answered; an edge or a node may not have heard yet."""
    visitor = requests.Session()
    for number in range(30):
        product = 610 + number % 3
        answer = visitor.patch(f"{edge}/api/products/{product}", json={"price": 20.0 + number}, timeout=10)
        assert answer.status_code == 200
        written = answer.json()["version"]
        assert visitor.get(f"{edge}/api/products/{product}", timeout=10).json()["version"] >= written


def test_a_session_never_goes_back(cluster: Cluster, edge: str) -> None:
    """Monotonic reads: from a node that has heard to an edge or a node that may not have, and back."""
    addresses = [edge, *cluster.workers().values()]
    visitor = requests.Session()
    visitor.patch(f"{edge}/api/products/620", json={"price": 5.0}, timeout=10)
    newest = 0
    for number in range(20):
        if number % 4 == 0:
            cluster.change_price(addresses[1 + number % (len(addresses) - 1)], 620, 30.0 + number)
        for address in addresses:
            version = visitor.get(f"{address}/api/products/620", timeout=10).json()["version"]
            assert version >= newest, f"{address} went back from {newest} to {version}"
            newest = version


def test_a_reader_without_a_session_gets_no_cookie(cluster: Cluster, edge: str) -> None:
    """Not from a write that others made, not from a hit, not from a miss, not from a node."""
    cluster.change_price(edge, 621, 6.0)
    for address in (edge, edge, *cluster.workers().values()):
        assert "Set-Cookie" not in read(address, 621).headers


Break = Callable[[Cluster], None]


def _kill(cluster: Cluster) -> None:
    cluster.command("kill", "edge-agent")


def _pause(cluster: Cluster) -> None:
    cluster.command("pause", "edge-agent")


def _cut(cluster: Cluster) -> None:
    done = cluster.command("partition", "edge-agent", check=False)
    if "is refused:" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("hurt", [_kill, _pause, _cut], ids=["killed", "paused", "cut off"])
def test_an_edge_whose_agent_is_gone_shows_nothing_old_for_longer_than_its_lease(
    cluster: Cluster, edge: str, hurt: Break
) -> None:
    """Afterwards it goes past its store; and what was invalidated meanwhile is not shown when the agent is back."""
    stored(edge, 630)
    hurt(cluster)
    written = cluster.change_price(cluster.node("node-1")["url"], 630, 40.0)["version"]
    acknowledged_s = time.monotonic()
    until(
        lambda: read(edge, 630).json()["version"] == written,
        within_s=HEARD_S,
        waiting_for="the lease to end, and the edge to ask a node",
        every_s=0.005,
    )
    assert time.monotonic() - acknowledged_s < HEARD_S
    bypassed(edge, 631)
    assert read(edge, 630).json()["version"] == written
    second = cluster.change_price(cluster.node("node-2")["url"], 630, 41.0)["version"]
    assert read(edge, 630).json()["version"] == second, "without a lease every read is a node's"
    cluster.mend()
    for _ in range(20):
        assert read(edge, 630).json()["version"] == second
    heard(edge, 630, second)


def test_a_reload_brings_nothing_back_and_loses_nothing(cluster: Cluster, edge: str) -> None:
    """Its workers are replaced while the prices change: no read is older than the write before it, once heard."""
    master = cluster.status()["edge"]["pid"]
    written = 0
    for number in range(5):
        stored(edge, 640)
        written = cluster.change_price(cluster.node("node-1")["url"], 640, 50.0 + number)["version"]
        os.kill(master, signal.SIGHUP)
        heard(edge, 640, written)
        for _ in range(10):
            assert read(edge, 640).json()["version"] == written


def test_a_killed_edge_comes_back_with_nothing(cluster: Cluster, edge: str) -> None:
    """What it had stored is unaddressable, whether it was true or not; then it hears again."""
    stored(edge, 650)
    cluster.command("kill", "edge")
    written = cluster.change_price(cluster.node("node-1")["url"], 650, 60.0)["version"]
    cluster.command("restart", "edge")
    assert read(edge, 650).json()["version"] == written
    heard(edge, 650, written)
    heard(edge, 650, cluster.change_price(cluster.node("node-2")["url"], 650, 61.0)["version"])


def test_a_redis_that_comes_back_empty_ends_everything_stored(cluster: Cluster, edge: str) -> None:
    """Its sequences begin again, and none of the old ones may be compared with them."""
    cluster.needs_writes_in_the_database()
    stored(edge, 660)
    cluster.command("restart", "redis")
    written = cluster.change_price(cluster.node("node-1")["url"], 660, 70.0)["version"]
    until(
        lambda: read(edge, 660).json()["version"] == written,
        within_s=HEARD_S,
        waiting_for="the new epoch at the edge",
        every_s=0.02,
    )
    heard(edge, 660, written)
    heard(edge, 660, cluster.change_price(cluster.node("node-2")["url"], 660, 71.0)["version"])


def test_a_pending_write_is_seen_by_its_session_through_the_edge(cluster: Cluster, edge: str) -> None:
    """Its node can't reach Redis: nobody is told, and only this session knows that what is stored is old."""
    cluster.needs_writes_in_the_database()
    stored(edge, 670)
    cut = cluster.command("partition", "node-1", check=False)
    if "is refused:" in cut.stderr:
        pytest.skip(cut.stderr.strip())
    node = cluster.node("node-1")["url"]
    visitor = requests.Session()
    answer = visitor.patch(f"{node}/api/products/670", json={"price": 80.0}, timeout=10)
    written = answer.json()["version"]
    if answer.headers.get("Tocsin-Pending") == "true":
        assert visitor.cookies["tocsin-watermark"].startswith("pending-")
    for _ in range(5):
        assert visitor.get(f"{edge}/api/products/670", timeout=10).json()["version"] >= written
    cluster.command("heal")
    until(
        lambda: (
            visitor.get(f"{edge}/api/products/670", timeout=10).ok
            and not visitor.cookies["tocsin-watermark"].startswith("pending-")
        ),
        within_s=20,
        waiting_for="the session's watermark to become a position",
    )
    assert visitor.get(f"{edge}/api/products/670", timeout=10).json()["version"] >= written
