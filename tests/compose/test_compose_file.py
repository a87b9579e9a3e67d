"""`docker compose up --wait` from a clone: the whole topology from docker-compose.yml alone, by no command of ours."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from pytest_docker.plugin import Services

from tests.compose.engine import container, docker
from tests.until import until

pytestmark = [pytest.mark.compose, pytest.mark.timeout(600)]

NODES = ("node-1", "node-2", "node-3")
ANY_WORKER, WORKERS = 8000, (8001, 8002)


@dataclass(frozen=True)
class Project:
    """The running project: where its published ports are now, and the docker command on its containers."""

    name: str

    def url(self, service: str, port: int) -> str:
        return f"http://{docker('port', container(self.name, service), str(port)).splitlines()[0]}"

    @property
    def edge(self) -> str:
        return self.url("edge", 8080)

    def workers(self) -> dict[str, str]:
        """Every worker's own address, by its name."""
        return {
            f"{node}/worker-{slot}": self.url(node, port)
            for node in NODES
            for slot, port in enumerate(WORKERS, start=1)
        }

    def ready(self, node: str) -> dict[str, Any]:
        """What one worker of a node says of its readiness."""
        said: dict[str, Any] = requests.get(f"{self.url(node, ANY_WORKER)}/readyz", timeout=10).json()
        return said

    def answering(self) -> str:
        """The node behind the edge that answers now."""
        return requests.get(f"{self.edge}/healthz", timeout=10).headers["X-Node"]


@pytest.fixture
def project(docker_services: Services, docker_compose_project_name: str) -> Project:
    return Project(docker_compose_project_name)


@pytest.fixture
def off_redis(project: Project) -> Iterator[str]:
    """node-1, taken off the network that it shares with Redis; put back afterwards."""
    network, node = f"{project.name}_cache", container(project.name, "node-1")
    docker("network", "disconnect", network, node)
    yield "node-1"
    if network not in docker("inspect", "--format", "{{json .NetworkSettings.Networks}}", node):
        docker("network", "connect", "--alias", "node-1", network, node)


def test_every_worker_answers_by_its_own_name(project: Project) -> None:
    """Each published port is the one worker that it is called after, and each is ready."""
    for name, url in project.workers().items():
        answer = requests.get(f"{url}/readyz", timeout=10)
        assert (answer.status_code, answer.headers["X-Worker"]) == (200, name)


def test_the_edge_spreads_reads_over_all_nodes(project: Project) -> None:
    """Every node is behind it."""
    assert {project.answering() for _ in range(9)} == set(NODES)


def test_a_write_through_the_edge_reaches_every_worker(project: Project) -> None:
    """PostgreSQL commits it, Redis passes it on, and all six workers agree."""
    for url in project.workers().values():
        requests.get(f"{url}/api/products/17", timeout=10)
    written = requests.patch(f"{project.edge}/api/products/17", json={"price": 17.17}, timeout=15)
    assert written.status_code == 200
    version = written.json()["version"]

    def all_agree() -> bool:
        read = [requests.get(f"{url}/api/products/17", timeout=10).json() for url in project.workers().values()]
        return all((each["version"], each["price"]) == (version, 17.17) for each in read)

    until(all_agree, within_s=20, waiting_for="all workers to return the written version", every_s=0.1)


def test_a_node_cut_from_redis_alone_is_still_reached(project: Project, off_redis: str) -> None:
    """It says that Redis is gone, answers from the database, and the edge still uses it; back again, it is ready."""
    address = project.url(off_redis, ANY_WORKER)

    def says_so() -> bool:
        checks = project.ready(off_redis)["checks"]
        return checks["database"]["ok"] and not checks["redis"]["ok"]

    until(says_so, within_s=20, waiting_for="readyz to say that Redis is gone", every_s=0.1)
    answer = requests.get(f"{address}/api/products/18", timeout=10)
    assert (answer.status_code, answer.headers["X-Node"]) == (200, off_redis)
    until(lambda: project.answering() == off_redis, within_s=20, waiting_for="an answer of the cut node by the edge")
    assert project.url(off_redis, ANY_WORKER) == address, "its published port must survive the loss of a network"
    docker("network", "connect", "--alias", off_redis, f"{project.name}_cache", container(project.name, off_redis))
    until(lambda: project.ready(off_redis)["ready"], within_s=30, waiting_for="the node to be ready again", every_s=0.1)


def test_a_killed_node_stays_dead_until_it_is_started(project: Project) -> None:
    """The edge goes on without it, and uses it again when it is back, at whatever address."""
    node = container(project.name, "node-2")
    docker("kill", node)
    assert {project.answering() for _ in range(30)} == {"node-1", "node-3"}
    assert docker("inspect", "--format", "{{.State.Status}}", node) == "exited"
    docker("start", node)
    until(lambda: project.answering() == "node-2", within_s=40, waiting_for="an answer of node-2 by the edge")


@pytest.mark.parametrize("service", [*NODES, "flusher", "edge", "redis", "postgres"])
def test_no_server_runs_with_more_rights_than_it_needs(project: Project, service: str) -> None:
    """Unprivileged, no capability, nothing writable but its own folders, and no way to gain what it lacks."""
    asked = "{{.Config.User}} {{.HostConfig.ReadonlyRootfs}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}}"
    user, read_only, dropped, options = docker("inspect", "--format", asked, container(project.name, service)).split(
        " ", 3
    )
    assert user not in ("", "root", "0")
    assert (read_only, dropped, options) == ("true", "[ALL]", "[no-new-privileges:true]")


def test_nothing_is_published_beyond_this_machine(project: Project) -> None:
    """Every published port is bound to loopback."""
    for service in (*NODES, "edge", "redis", "postgres"):
        for line in docker("port", container(project.name, service)).splitlines():
            assert line.partition(" -> ")[2].startswith("127.0.0.1:")


def test_the_cluster_secret_is_drawn_anew_for_each_cluster(project: Project) -> None:
    """No default opens the control routes: the secret lies in a volume, and the edge and the nodes share it."""
    secret = docker("exec", container(project.name, "node-1"), "cat", "/var/lib/tocsin/secret")
    assert len(secret) >= 32
    state = f"{project.url('node-1', ANY_WORKER)}/_tocsin/state"
    assert requests.get(state, timeout=10).status_code == 404
    assert requests.get(state, headers={"Tocsin-Secret": secret}, timeout=10).status_code == 200
