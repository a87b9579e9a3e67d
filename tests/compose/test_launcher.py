"""`LAUNCHER=compose`: the same command line, the same verbs, the same status, on containers."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from cluster.compose.plan import project_of
from cluster.runs import Run
from tests.compose.engine import container, docker, left_of
from tests.integration.live import ROOT, Cluster
from tests.until import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(600)]

UP_S = 300.0


def project_in(runs: Path) -> str:
    """The project of every run in a folder of runs."""
    return project_of(Run(runs / "any"))


@pytest.fixture(scope="module")
def cluster(image: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes of two workers under compose, taken down again without a trace."""
    runs = tmp_path_factory.mktemp("runs")
    cluster = Cluster(runs=runs)
    try:
        cluster.command("up", "--launcher", "compose", "--nodes", "2", "--port", "0")
        yield cluster
    finally:
        cluster.command("down")
        assert left_of(project_in(runs)) == {}


@pytest.fixture
def whole(cluster: Cluster) -> Iterator[Cluster]:
    """The cluster, mended after the test."""
    yield cluster
    cluster.mend()


def test_status_names_every_server_with_its_process(whole: Cluster) -> None:
    """The shape that programs read; pids are this machine's; each worker answers on its own address by its name."""
    status = whole.status()
    assert status["launcher"] == "compose"
    assert [node["name"] for node in status["nodes"]] == ["node-1", "node-2"]
    servers = [status["edge"], status["redis"], status["flusher"], *status["nodes"]]
    servers += [worker for node in status["nodes"] for worker in node["workers"]]
    assert {server["state"] for server in servers} == {"running"}
    for server in servers:
        os.kill(server["pid"], 0)  # raises where there is no such process
    for name, url in whole.workers().items():
        assert requests.get(f"{url}/healthz", timeout=10).headers["X-Worker"] == name


def test_a_second_up_changes_nothing_and_says_so(whole: Cluster) -> None:
    """The same pids as before."""
    before = whole.status()
    said = whole.command("up", "--launcher", "compose", "--nodes", "2").stdout
    assert "already" in said
    assert whole.status() == before


def test_a_killed_node_stays_dead_and_returns_on_its_address(whole: Cluster) -> None:
    """`kill`, and the edge goes on; `restart`, and all of its addresses are as they were."""
    addresses = whole.workers()
    assert "killed node-2" in whole.command("kill", "node-2").stdout
    assert whole.node("node-2")["state"] == "dead"
    edge = whole.edge
    assert {requests.get(f"{edge}/healthz", timeout=10).headers["X-Node"] for _ in range(20)} == {"node-1"}
    assert "node-2 is ready" in whole.command("restart", "node-2").stdout
    assert whole.workers() == addresses


def test_a_killed_worker_is_replaced_under_its_name(whole: Cluster) -> None:
    """Gunicorn puts another process into the slot; the address answers again."""
    before = whole.node("node-1")["workers"][0]
    assert "replaced" in whole.command("kill", "node-1/worker-1").stdout
    after = whole.node("node-1")["workers"][0]
    assert after["pid"] != before["pid"]
    assert requests.get(f"{after['url']}/healthz", timeout=10).headers["X-Worker"] == "node-1/worker-1"


def paused_in(status: dict[str, Any]) -> set[str]:
    """Names of everything that is paused."""
    everything = [status["edge"], status["redis"], status["flusher"], *status["nodes"]]
    everything += [worker for node in status["nodes"] for worker in node["workers"]]
    return {server["name"] for server in everything if server["state"] == "paused"}


@pytest.mark.parametrize("target", ["node-1", "node-1/worker-2", "redis", "edge", "flusher"])
def test_what_is_paused_says_so_until_it_is_healed(whole: Cluster, target: str) -> None:
    """A node is stopped whole, a worker alone; `heal` lets each run on."""
    whole.command("pause", target)
    paused = paused_in(whole.status())
    assert paused == {target} | ({"node-1/worker-1", "node-1/worker-2"} if target == "node-1" else set())
    assert f"resumed {target}" in whole.command("heal").stdout
    assert paused_in(whole.status()) == set()
    until(whole.ready, within_s=30, waiting_for="the cluster to be ready after heal", every_s=0.1)


def test_a_paused_node_neither_answers_nor_refuses(whole: Cluster) -> None:
    """Its kernel accepts, and nobody is there; resumed, it answers what had been waiting."""
    url = whole.node("node-2")["workers"][0]["url"]
    whole.command("pause", "node-2")
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{url}/healthz", timeout=0.5)
    refused = whole.command("kill", "node-2/worker-1", check=False)
    assert refused.returncode == 1
    assert "`resume node-2` first" in refused.stderr
    whole.command("resume", "node-2")
    assert requests.get(f"{url}/healthz", timeout=10).status_code == 200


def test_a_paused_node_can_be_killed_and_restarted(whole: Cluster) -> None:
    """Neither waits for it to hear."""
    whole.command("pause", "node-2")
    whole.command("restart", "node-2")
    assert whole.node("node-2")["state"] == "running"
    whole.command("pause", "node-2")
    whole.command("kill", "node-2")
    assert whole.node("node-2")["state"] == "dead"


def test_pausing_beside_health_checks_never_hangs_the_engine(whole: Cluster) -> None:
    """Many times over, because `docker pause` did about once in thirty."""
    for _ in range(8):
        whole.command("pause", "node-1")
        whole.command("resume", "node-1")


def test_what_somebody_froze_by_hand_is_paused_too(whole: Cluster) -> None:
    """`docker pause` behind our back (of the server without health checks): `status` says so, and `heal` thaws it."""
    runs = whole.runs
    assert runs is not None
    docker("pause", container(project_in(runs), "flusher"))
    assert paused_in(whole.status()) == {"flusher"}
    whole.command("heal")
    assert paused_in(whole.status()) == set()


def test_a_node_is_cut_from_redis_alone_and_mended(whole: Cluster) -> None:
    """`partition`, and `status` names the path; the node answers and says what is gone; `heal`, and it agrees again."""
    whole.command("partition", "node-1")
    assert whole.status()["cut"] == ["node-1→redis"]
    node = whole.node("node-1")["url"]
    until(
        lambda: not requests.get(f"{node}/readyz", timeout=10).json()["checks"]["redis"]["ok"],
        within_s=20,
        waiting_for="readyz to say that Redis is gone",
        every_s=0.1,
    )
    written = whole.change_price(whole.node("node-2")["url"], 21, 4.5)
    whole.command("heal")
    assert whole.status()["cut"] == []
    until(
        lambda: {whole.version(url, 21) for url in whole.workers().values()} == {written["version"]},
        within_s=30,
        waiting_for="all workers to agree after heal",
        every_s=0.1,
    )


def test_redis_comes_back_empty(whole: Cluster) -> None:
    """`restart redis` says so, and the cluster finds its way by itself."""
    assert "empty" in whole.command("restart", "redis").stdout
    until(whole.ready, within_s=30, waiting_for="the cluster to be ready with an empty Redis", every_s=0.1)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("partition", "node-1", "--mode", "reset"), "blackhole"),
        (("partition", "node-1", "--direction", "upstream"), "blackhole in both directions"),
        (("partition", "edge"), "only nodes and the flusher"),
        (("partition", "node-1/worker-1"), "try node-1"),
    ],
)
def test_what_containers_cannot_do_is_refused_with_its_reason(
    whole: Cluster, words: tuple[str, ...], reason: str
) -> None:
    """Refused before anything is touched: exit 1 and one sentence."""
    done = whole.command(*words, check=False)
    assert done.returncode == 1
    assert reason in done.stderr
    assert whole.status()["cut"] == []


def test_logs_are_each_servers_own(whole: Cluster) -> None:
    """By name, and of all; a wrong name lists the right ones."""
    assert "gunicorn" in whole.command("logs", "node-1").stdout
    assert {"node-1", "node-2", "redis", "edge", "flusher", "postgres"} <= {
        line.partition("|")[0].strip() for line in whole.command("logs", "-n", "1").stdout.splitlines()
    }
    wrong = whole.command("logs", "node-9", check=False)
    assert wrong.returncode == 254
    assert "node-2" in wrong.stderr


def test_ctrl_c_while_it_starts_leaves_nothing(image: None, tmp_path: Path) -> None:
    """SIGINT in the middle of `up`: containers, networks and volumes are gone when it returns."""
    with starting(tmp_path) as process:
        until(lambda: left_of(project_in(tmp_path)), within_s=60, waiting_for="something to be made", every_s=0.1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
        assert process.returncode == 1
        assert "nothing of the cluster is left" in said
    assert left_of(project_in(tmp_path)) == {}


def test_what_a_killed_up_left_is_found_by_down(image: None, tmp_path: Path) -> None:
    """SIGKILL in the middle of `up`, with containers half made: `down` finds them by the ledger."""
    with starting(tmp_path) as process:
        until(lambda: left_of(project_in(tmp_path)), within_s=60, waiting_for="something to be made", every_s=0.1)
        process.kill()
        process.wait(timeout=10)
    Cluster(runs=tmp_path).command("down")
    assert left_of(project_in(tmp_path)) == {}


@contextlib.contextmanager
def starting(runs: Path) -> Iterator[subprocess.Popen[str]]:
    """An `up` of one node that has begun to start containers; gone at the end, however the test ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "cluster", "up", "--launcher", "compose", "--nodes", "1", "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"TOCSIN_RUNS": str(runs)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        watchdog = threading.Timer(UP_S, process.kill)  # so that reading what it says is bounded
        watchdog.start()
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if "starting postgres" in line:
                    break
            assert "starting postgres" in said[-1], f"up ended before it started a container: {said}"
            yield process
        finally:
            watchdog.cancel()
            process.kill()
