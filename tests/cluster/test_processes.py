"""The processes launcher on real servers: nginx, Redis, gunicorn with the catalogue, Celery. The default cluster."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
import requests

from cluster.pid import everyone
from cluster.status import State
from tests.cluster.live_cluster import LiveCluster
from tests.until import until

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]
UP = ("up", "--port", "0", "--set", "TOCSIN_L1_TTL_S=1")
IDLE_MB_MAX = 600


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCluster]:
    """Up once for the module, and down behind it."""
    own = LiveCluster(tmp_path_factory.mktemp("runs"))
    own.do(*UP)
    yield own
    own.do("down")
    assert own.pids() == set()


@pytest.fixture
def cluster(live: LiveCluster) -> Iterator[LiveCluster]:
    """A whole cluster, mended behind the test."""
    yield live
    live.do("heal")
    for name in live.status().named(State.DEAD):
        live.do("restart", name)
    until(live.all_ready, within_s=30, waiting_for="a whole cluster after the test")


def test_each_worker_answers_by_name_on_its_own_port(cluster: LiveCluster) -> None:
    """When `up` has returned, without any waiting; the node's port and the edge answer too."""
    status = cluster.status()
    for node in status.nodes:
        for worker in node.workers:
            answer = requests.get(f"{worker.url}/api/products/1", timeout=10)
            assert (answer.status_code, answer.headers["X-Worker"]) == (200, worker.name)
        assert requests.get(f"{node.url}/healthz", timeout=10).headers["X-Node"] == node.name
    assert requests.get(f"{status.edge.url}/api/products/1", timeout=10).status_code == 200
    assert redis.Redis.from_url(status.redis.url, protocol=2).ping()
    assert status.flusher.state is State.RUNNING


def test_the_idle_default_cluster_fits_into_600_mb(cluster: LiveCluster) -> None:
    """Proportional set size, summed over all of its processes: pages that workers share are counted once."""
    processes = [Path(f"/proc/{number}/smaps_rollup").read_text(encoding="ascii") for number in cluster.pids()]
    kilobytes = [int(line.split()[1]) for text in processes for line in text.splitlines() if line.startswith("Pss:")]
    assert len(kilobytes) == len(processes)
    assert sum(kilobytes) / 1000 < IDLE_MB_MAX


def test_a_second_up_touches_no_process(cluster: LiveCluster) -> None:
    """The same pids before and after."""
    before = cluster.pids()
    assert "up already" in cluster.do(*UP)
    assert cluster.pids() == before


def test_a_killed_worker_is_replaced_under_its_name(cluster: LiveCluster) -> None:
    """The verb waits for it, and says who it is now."""
    before = cluster.status().nodes[0].workers[1]
    said = cluster.do("kill", "node-1/worker-2")
    after = cluster.status().nodes[0].workers[1]
    assert f"killed node-1/worker-2 (pid {before.pid}) with SIGKILL" in said
    assert f"its master replaced it: pid {after.pid} answers on the same port" in said
    assert requests.get(f"{after.url}/healthz", timeout=10).headers["X-Worker"] == "node-1/worker-2"


def test_a_killed_node_dies_whole_and_a_restarted_one_is_ready(cluster: LiveCluster) -> None:
    """No worker outlives its master, nor the node's agent; after `restart` nothing has to be waited for."""
    node = cluster.status().nodes[1]
    assert "killed node-2 with SIGKILL (4 processes)" in cluster.do("kill", "node-2")
    dead = cluster.status().nodes[1]
    assert (dead.state, dead.pid, {worker.state for worker in dead.workers}) == (State.DEAD, None, {State.DEAD})
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{node.url}/healthz", timeout=5)
    assert "dead: node-2; `restart`" in cluster.command(*UP).output
    assert "node-2 was dead already" in cluster.do("kill", "node-2")
    assert "node-2 is ready" in cluster.do("restart", "node-2")
    assert {cluster.ready(worker.url) for worker in cluster.status().nodes[1].workers} == {200}


def test_a_paused_node_is_silent_and_resumes(cluster: LiveCluster) -> None:
    """It accepts and does not answer; its workers are paused too; `heal` would resume it as `resume` does."""
    node = cluster.status().nodes[0]
    cluster.do("pause", "node-1")
    paused = cluster.status().nodes[0]
    assert {paused.state, *(worker.state for worker in paused.workers)} == {State.PAUSED}
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{node.url}/healthz", timeout=0.3)
    assert "node-1 runs" in cluster.do("resume", "node-1")
    assert requests.get(f"{node.url}/healthz", timeout=10).status_code == 200
    assert "was not paused" in cluster.do("resume", "node-1")


@pytest.mark.parametrize("mode", ["blackhole", "refuse", "reset", "close"])
def test_a_partitioned_node_knows_it_and_heal_mends_it(cluster: LiveCluster, mode: str) -> None:
    """Its `/readyz` turns 503, its neighbour's does not; `status` names the cut; twice healed is healed."""
    one, two, _three = (node.workers[0].url for node in cluster.status().nodes)
    assert f"cut node-1→redis ({mode})" in cluster.do("partition", "node-1", "--mode", mode)
    assert cluster.status().cut == ("node-1→redis",)
    until(lambda: cluster.ready(one) == 503, within_s=15, waiting_for="node-1 to notice")
    assert cluster.ready(two) == 200
    assert "mended node-1→redis" in cluster.do("heal")
    assert cluster.status().cut == ()
    until(lambda: cluster.ready(one) == 200, within_s=15, waiting_for="node-1 to hear again")
    assert "nothing was paused or cut" in cluster.do("heal")


def test_a_restart_does_not_mend_the_network(cluster: LiveCluster) -> None:
    """A cut node that is restarted answers, says that it is not ready, and the verb says why."""
    cluster.do("partition", "node-2")
    assert "node-2 runs, but is not ready while node-2→redis is cut" in cluster.do("restart", "node-2")


def test_heal_resumes_what_is_paused_and_restarts_nothing(cluster: LiveCluster) -> None:
    """All in one: a paused node, a cut one, a dead flusher."""
    cluster.do("pause", "node-1/worker-1")
    cluster.do("partition", "node-2", "--mode", "refuse")
    cluster.do("kill", "flusher")
    said = cluster.do("heal")
    assert "resumed node-1/worker-1" in said
    assert "mended node-2→redis" in said
    assert "dead, and left so: flusher" in said
    assert cluster.status().flusher.state is State.DEAD


def test_redis_comes_back_empty_and_it_is_said(cluster: LiveCluster) -> None:
    """On the same address."""
    url = cluster.status().redis.url
    redis.Redis.from_url(url, protocol=2).set("left", "behind")
    assert "Redis came back empty" in cluster.do("restart", "redis")
    assert cluster.status().redis.url == url
    assert redis.Redis.from_url(url, protocol=2).get("left") is None


def test_a_dead_link_process_cuts_everybody_and_comes_back_on_the_same_ports(cluster: LiveCluster) -> None:
    """`status` says so; after `restart links` the nodes find Redis again where it was."""
    cluster.do("kill", "links")
    status = cluster.status()
    assert status.link_server is not None
    assert status.link_server.state is State.DEAD
    nodes = {"node-1→redis", "node-2→redis", "node-3→redis"}
    assert set(status.cut) == nodes | {"flusher→redis", "edge-agent→redis"}
    refused = cluster.command("partition", "node-1")
    assert (refused.exit_code, "try `restart links`" in refused.stderr) == (1, True)
    before = [link.listen for link in status.links or ()]
    assert "the cuts that were there are gone" in cluster.do("restart", "links")
    assert [link.listen for link in cluster.status().links or ()] == before
    until(cluster.all_ready, within_s=15, waiting_for="every worker to find Redis again")


def test_what_has_no_network_is_not_partitioned(cluster: LiveCluster) -> None:
    """A file, a worker, Redis itself: each with its reason, and exit 1."""
    for words, reason in (
        (("node-1", "--from", "database"), "the database is SQLite, a file"),
        (("node-1/worker-1",), "a partition cuts a whole node; try node-1"),
        (("redis",), "only nodes and the flusher have links"),
        (("node-1", "--mode", "refuse", "--direction", "upstream"), "can't act in one direction alone"),
    ):
        result = cluster.command("partition", *words)
        assert (result.exit_code, reason in result.stderr) == (1, True), result.output


def test_edge_and_flusher_are_killed_and_restarted(cluster: LiveCluster) -> None:
    """Nginx dies with its workers, although they have overwritten the marker in their environment."""
    edge = cluster.status().edge.url
    for name in ("edge", "flusher"):
        cluster.do("kill", name)
        assert name in cluster.status().named(State.DEAD)
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{edge}/api/products/1", timeout=5)
    for name in ("edge", "flusher"):
        assert f"{name} is ready" in cluster.do("restart", name)
    assert requests.get(f"{edge}/api/products/1", timeout=10).status_code == 200


def test_logs_of_one_server_and_of_all(cluster: LiveCluster) -> None:
    """Redis says that it is ready in its own log, bare; all logs come with their servers' names."""
    assert "Ready to accept connections" in cluster.do("logs", "redis", "-n", "200")
    everything = cluster.do("logs")
    assert "redis" in everything
    assert " | " in everything
    assert cluster.command("logs", "nobody").exit_code == 254


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL], ids=["ctrl-c", "kill-9"])
def test_a_start_that_is_ended_half_way_leaves_nothing_for_long(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C takes all servers down again; after kill -9 the next command finds and ends them."""
    own = LiveCluster(tmp_path)
    command = subprocess.Popen(
        [sys.executable, "-m", "cluster", "--runs", str(tmp_path), "up", "--port", "0", "--nodes", "1"],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until(lambda: len(own.pids()) >= 5, within_s=30, waiting_for="some servers")
    os.kill(command.pid, number)
    command.wait(30)
    if number is signal.SIGKILL:
        assert own.pids()
        own.do("down")
    assert own.pids() == set()
    mark = str(tmp_path)
    assert not [seen for seen in everyone() if mark in _command_line(seen.pid.number)]


def _command_line(number: int) -> str:
    try:
        return Path(f"/proc/{number}/cmdline").read_bytes().decode(errors="replace")
    except OSError:  # gone meanwhile
        return ""
