"""granian: a node under another server is a node all the same: names, ports, pid files, metrics, coherent caches."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from tests.catalog.running_node import RunningNode, inherited, running_node
from tests.catalog.shop import environment
from tests.catalog.test_gunicorn import alive
from tests.redis_server import RedisServer, free_port
from tests.until import until


@pytest.fixture
def node(tmp_path: Path, sqlite_url: str, redis: RedisServer) -> Iterator[RunningNode]:
    """A node of two workers under granian."""
    with running_node(tmp_path, database_url=sqlite_url, redis_url=redis.url, CATALOG_SERVER="granian") as one:
        yield one


def ready(node: RunningNode) -> None:
    """Wait until every worker says at its own address that it is ready."""
    until(
        lambda: all(requests.get(f"{url}/readyz", timeout=5).ok for url in node.worker_urls),
        within_s=20,
        waiting_for="both workers to be ready",
    )


def test_a_write_by_one_worker_is_read_by_the_other_at_once(node: RunningNode) -> None:
    """Two processes, each with an L1 of its own: what one writes is not answered from the other's copy."""
    ready(node)
    one, other = (f"{url}/api/products/7" for url in node.worker_urls)
    for price in (3.0, 4.0, 5.0):
        for _ in range(2):
            assert requests.get(other, timeout=5).ok  # it has a copy now
        assert requests.patch(one, json={"price": price}, timeout=5).ok
        until(lambda price=price: requests.get(other, timeout=5).json()["price"] == price, within_s=5, waiting_for="it")  # type: ignore[misc]


def test_the_node_s_own_port_is_served_by_its_workers(node: RunningNode) -> None:
    """Whoever asks the node is answered by one of its workers, under the name that it has on its own port."""
    names = {node.served_by(node.url) for _ in range(20)}
    assert names <= {"node-1/worker-1", "node-1/worker-2"}
    assert names


def test_a_killed_worker_is_replaced_under_its_name(node: RunningNode) -> None:
    """Kill −9: the other goes on, and a new process answers under the old name at the old address."""
    ready(node)
    killed, other = node.pid(1), node.pid(2)
    os.kill(killed, signal.SIGKILL)
    assert node.served_by(node.worker_urls[1]) == "node-1/worker-2"
    until(node.answers_by_name, within_s=30, waiting_for="node-1/worker-1 to answer again")
    assert node.pid(1) != killed
    assert node.pid(2) == other
    ready(node)


def test_a_paused_worker_stays_paused(node: RunningNode) -> None:
    """Nobody ends a worker for being silent: when it is resumed it is the same process, and answers."""
    paused = node.pid(1)
    os.kill(paused, signal.SIGSTOP)
    try:
        assert node.served_by(node.worker_urls[0]) is None
        assert node.served_by(node.worker_urls[1]) == "node-1/worker-2"
    finally:
        os.kill(paused, signal.SIGCONT)
    until(node.answers_by_name, within_s=10, waiting_for="the resumed worker to answer")
    assert node.pid(1) == paused


def test_a_reload_keeps_names_and_addresses(node: RunningNode) -> None:
    """SIGHUP: two new workers take the slots of the two old ones, which leave."""
    before = {node.pid(1), node.pid(2)}
    node.process.send_signal(signal.SIGHUP)
    until(
        lambda: not {node.pid(1), node.pid(2)} & before and node.answers_by_name(),
        within_s=60,
        waiting_for="both slots to be held by new workers",
    )
    ready(node)


def test_the_metrics_of_a_node_are_those_of_all_its_workers(node: RunningNode) -> None:
    """Any worker shows the sum; a killed worker no longer counts as living once it is replaced."""

    def workers() -> float:
        text = requests.get(f"{node.worker_urls[1]}/metrics", timeout=5).text
        samples = (sample for family in text_string_to_metric_families(text) for sample in family.samples)
        return sum(sample.value for sample in samples if sample.name == "catalog_workers")

    assert workers() == 2
    killed = node.pid(1)
    os.kill(killed, signal.SIGKILL)
    until(lambda: node.pid(1) != killed and node.answers_by_name(), within_s=30, waiting_for="the replacement")
    assert workers() == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_workers_leave_with_their_master(node: RunningNode, number: signal.Signals) -> None:
    """However it ends: no worker goes on alone, so that the node's ports are free for the next one."""
    pids = [node.pid(1), node.pid(2)]
    node.process.send_signal(number)
    node.process.wait(15)
    until(
        lambda: not any(alive(pid) for pid in pids), within_s=15, waiting_for="the workers to see that they are alone"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CATALOG_SERVER": "apache"}, "catalog: CATALOG_SERVER is 'apache': one of gunicorn, granian is expected"),
        ({"CATALOG_BIND": ""}, "catalog: CATALOG_BIND is not set"),
        ({"TOCSIN_STRATEGY": "magic"}, "catalog: unknown strategy 'magic'"),
        ({"CATALOG_WORKER_BINDS": "{taken}"}, "catalog: CATALOG_WORKER_BINDS: {taken}: Address already in use"),
        ({"CATALOG_BIND": "{taken}"}, "catalog: CATALOG_BIND: {taken}: Address already in use"),
    ],
)
def test_a_node_that_cannot_start_says_why(
    tmp_path: Path, redis: RedisServer, changes: dict[str, str], said: str
) -> None:
    """One sentence and a failure, in place of a traceback."""
    taken = f"127.0.0.1:{redis.port}"
    chosen = {
        "CATALOG_SERVER": "granian",
        "CATALOG_BIND": f"127.0.0.1:{free_port()}",
        "CATALOG_WORKER_BINDS": f"127.0.0.1:{free_port()}",
        "CATALOG_RUN_DIR": str(tmp_path),
        **{name: value.format(taken=taken) for name, value in changes.items()},
    }
    done = subprocess.run(
        [sys.executable, "-m", "catalog", "serve"],
        env={**inherited(), **environment(**chosen)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert said.format(taken=taken) in done.stderr
    assert "Traceback" not in done.stderr
