"""gunicorn: workers that can be asked by name, also after they were killed, paused, replaced or reloaded."""

from __future__ import annotations

import importlib.util
import json
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
from tests.redis_server import RedisServer, free_port
from tests.until import until

CLASSES = ["sync", "gthread", "gevent"]


@pytest.fixture(params=CLASSES)
def node(request: pytest.FixtureRequest, tmp_path: Path, sqlite_url: str, redis: RedisServer) -> Iterator[RunningNode]:
    """A node under each class of workers in turn."""
    if request.param == "gevent" and importlib.util.find_spec("gevent") is None:
        pytest.skip("gevent is not installed")
    with running_node(
        tmp_path, database_url=sqlite_url, redis_url=redis.url, CATALOG_WORKER_CLASS=request.param
    ) as one:
        yield one


@pytest.fixture
def threaded(tmp_path: Path, sqlite_url: str, redis: RedisServer) -> Iterator[RunningNode]:
    """A node under the default class of workers."""
    with running_node(tmp_path, database_url=sqlite_url, redis_url=redis.url) as one:
        yield one


def test_a_killed_worker_is_replaced_under_its_name(node: RunningNode) -> None:
    """Kill −9: the other worker goes on, and a new process answers under the old name at the old address."""
    until(lambda: requests.get(f"{node.worker_urls[0]}/readyz", timeout=5).ok, within_s=10, waiting_for="readiness")
    killed, other = node.pid(1), node.pid(2)
    os.kill(killed, signal.SIGKILL)
    assert node.served_by(node.worker_urls[1]) == "node-1/worker-2"
    until(node.answers_by_name, within_s=20, waiting_for="node-1/worker-1 to answer again")
    assert node.pid(1) != killed
    assert node.pid(2) == other
    assert requests.get(f"{node.worker_urls[0]}/api/products/1", timeout=5).json()["version"] == 1


def test_a_paused_worker_stays_paused(threaded: RunningNode) -> None:
    """Nobody murders a worker for being silent: when it is resumed it is the same process, and answers."""
    paused = threaded.pid(1)
    os.kill(paused, signal.SIGSTOP)
    try:
        assert threaded.served_by(threaded.worker_urls[0]) is None
        assert threaded.served_by(threaded.worker_urls[1]) == "node-1/worker-2"
    finally:
        os.kill(paused, signal.SIGCONT)
    until(threaded.answers_by_name, within_s=10, waiting_for="the resumed worker to answer")
    assert threaded.pid(1) == paused


def test_a_reload_keeps_names_and_addresses(threaded: RunningNode) -> None:
    """SIGHUP: two new workers take the slots of the two old ones, which leave."""
    before = {threaded.pid(1), threaded.pid(2)}
    threaded.process.send_signal(signal.SIGHUP)
    until(
        lambda: not {threaded.pid(1), threaded.pid(2)} & before and threaded.answers_by_name(),
        within_s=30,
        waiting_for="both slots to be held by new workers",
    )


@pytest.mark.parametrize("kind", CLASSES)
def test_a_worker_is_recycled_under_its_name(tmp_path: Path, sqlite_url: str, redis: RedisServer, kind: str) -> None:
    """max_requests: after a few requests a worker is another process, and the same to those who ask for it."""
    recycled = {"GUNICORN_CMD_ARGS": "--max-requests 10", "CATALOG_WORKER_CLASS": kind}
    with running_node(tmp_path, database_url=sqlite_url, redis_url=redis.url, **recycled) as node:
        first = node.pid(1)
        until(
            lambda: node.served_by(node.worker_urls[0]) == "node-1/worker-1" and node.pid(1) != first,
            within_s=30,
            waiting_for="worker-1 to be recycled",
        )


def test_when_the_master_is_killed_the_workers_leave(threaded: RunningNode) -> None:
    """No worker outlives its master, so that the node's ports are free for the next one."""
    pids = [threaded.pid(1), threaded.pid(2)]
    threaded.process.kill()
    threaded.process.wait(10)
    until(
        lambda: not any(alive(pid) for pid in pids), within_s=10, waiting_for="the workers to see that they are alone"
    )


def test_the_metrics_of_a_node_are_those_of_all_its_workers(threaded: RunningNode) -> None:
    """Any worker shows the sum; a killed worker's requests stay counted, and it no longer counts as living."""

    def sample(name: str, **labels: str) -> float:
        text = requests.get(f"{threaded.worker_urls[1]}/metrics", timeout=5).text
        return sum(
            each.value
            for family in text_string_to_metric_families(text)
            for each in family.samples
            if each.name == name and labels.items() <= each.labels.items()
        )

    for url in threaded.worker_urls:
        for _ in range(3):
            requests.get(f"{url}/api/products/1", timeout=5)
    product = {"route": "/api/products/<product_id>"}
    assert sample("catalog_requests_total", **product) == 6
    assert sample("catalog_workers") == 2
    os.kill(threaded.pid(1), signal.SIGKILL)
    until(threaded.answers_by_name, within_s=20, waiting_for="the replacement")
    assert sample("catalog_requests_total", **product) == 6
    assert sample("catalog_workers") == 2


def test_a_body_without_a_length_has_the_same_limit(threaded: RunningNode) -> None:
    """A chunked body is read no further than 64 KiB: 413, and the next request on another connection is served."""
    url = f"{threaded.url}/api/products/7"
    chunks = (b'{"description": "', *[b"a" * 8192] * 10, b'"}')
    refused = requests.patch(url, data=iter(chunks), headers={"Content-Type": "application/json"}, timeout=10)
    assert refused.status_code == 413
    taken = requests.patch(
        url, data=iter((b'{"price"', b": 3}")), headers={"Content-Type": "application/json"}, timeout=10
    )
    assert (taken.status_code, taken.json()["price"]) == (200, 3.0)


def test_the_log_is_one_object_a_line(threaded: RunningNode) -> None:
    """JSON with the node, the worker and the key; also gunicorn's own lines."""
    requests.patch(f"{threaded.worker_urls[1]}/api/products/7", json={"price": 3}, timeout=5)
    lines = [object_of(line) for line in threaded.log().splitlines()]
    (written,) = [line for line in lines if line["event"] == "written"]
    assert (written["node"], written["worker"], written["key"], written["version"]) == (
        "node-1",
        "node-1/worker-2",
        "product:7",
        2,
    )
    assert any(line.get("logger") == "gunicorn.error" for line in lines)


def test_nothing_is_left_in_the_run_folder_but_pid_files(threaded: RunningNode) -> None:
    """No control socket, no temporary file: one pid file for each worker."""
    assert {path.name for path in threaded.folder.iterdir()} - {"shop.db", "shop.db-wal", "shop.db-shm"} == {
        "worker-1.pid",
        "worker-2.pid",
        "node.log",
        "metrics",
        "table",
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"CATALOG_BIND": ""}, "catalog: CATALOG_BIND is not set"),
        ({"CATALOG_THREADS": "many"}, "catalog: CATALOG_THREADS is 'many'"),
        ({"TOCSIN_STRATEGY": "magic"}, "catalog: unknown strategy 'magic'"),
        ({"CATALOG_WORKER_BINDS": "{taken}"}, "catalog: CATALOG_WORKER_BINDS: {taken}: Address already in use"),
    ],
)
def test_a_node_that_cannot_start_says_why(
    tmp_path: Path, redis: RedisServer, changes: dict[str, str], said: str
) -> None:
    """One sentence and a failure, in place of a traceback; also for a port that somebody else has."""
    taken = f"127.0.0.1:{redis.port}"
    chosen = {
        "CATALOG_BIND": f"127.0.0.1:{free_port()}",
        "CATALOG_WORKER_BINDS": f"127.0.0.1:{free_port()}",
        "CATALOG_RUN_DIR": str(tmp_path),
        **{name: value.format(taken=taken) for name, value in changes.items()},
    }
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "python:catalog.gunicorn_conf", "catalog.wsgi:application"],
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


def alive(pid: int) -> bool:
    """Is there such a process, other than a zombie?"""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return False


def object_of(line: str) -> dict[str, object]:
    """One line of the log; fails with the line if it is no JSON object."""
    parsed: dict[str, object] = json.loads(line)
    assert isinstance(parsed, dict), line
    return parsed
