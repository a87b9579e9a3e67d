"""What the compose launcher prepares and refuses before any engine is asked; needs none, so it runs everywhere."""

from __future__ import annotations

import os
from pathlib import Path
from random import Random

import pytest

from cluster.compose.engine import NoEngineError, docker, environment, require
from cluster.compose.launcher import ComposeLauncher
from cluster.compose.override import compose_default, edge_configuration, write_override
from cluster.compose.plan import Plan, load_plan, make_plan, project_of
from cluster.errors import ClusterError, NotInTimeError, RefusedError
from cluster.runs import Run
from cluster.status import State
from cluster.topology import Topology, store

SECRET = "a-secret-that-needs-no-quoting"


def new_run(runs: Path, topology: Topology) -> Run:
    """A run folder as `up` makes it."""
    run = Run(runs / "20261123T081500Z-3f9a")
    run.path.mkdir(parents=True)
    run.logs.mkdir()
    run.secret_file.write_text(SECRET + "\n", encoding="ascii")
    store(topology, run.path / "topology.json")
    return run


def planned(runs: Path, topology: Topology) -> Plan:
    return make_plan(new_run(runs, topology), topology, Random(1))


@pytest.fixture
def fake_docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `docker` on the path whose script the test writes."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "docker"
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return program


def test_a_plain_compose_up_and_the_launcher_have_the_same_edge() -> None:
    """The committed cluster.conf is what the launcher would write for the default cluster."""
    assert compose_default().read_text(encoding="utf-8") == edge_configuration(Topology().nodes, hears=True)


def test_two_folders_of_runs_are_two_projects(tmp_path: Path) -> None:
    """Two clones never meet; two runs of one folder are the same project, since only one is up at a time."""
    one, again, other = Run(tmp_path / "a" / "run-1"), Run(tmp_path / "a" / "run-2"), Run(tmp_path / "b" / "run-1")
    assert project_of(one) == project_of(again)
    assert project_of(one) != project_of(other)
    assert project_of(one).startswith("tocsin-")


def test_addresses_are_chosen_once(tmp_path: Path) -> None:
    """Whoever restarts a container, in whatever process, finds the ports that the others know."""
    plan = planned(tmp_path, Topology(nodes=2, workers=3, launcher="compose"))
    assert load_plan(plan.run) == plan
    ports = [plan.addresses.redis, plan.addresses.database, *plan.addresses.nodes.values()]
    ports += plan.addresses.workers.values()
    assert len(set(ports)) == len(ports) == 2 + 2 + 6


def test_the_override_gives_every_node_its_workers_and_fixed_ports(tmp_path: Path) -> None:
    """Each worker by its port; the nodes that docker-compose.yml has and this run has not are left out."""
    plan = planned(tmp_path, Topology(nodes=1, workers=2, launcher="compose", settings=(("CATALOG_THREADS", "2"),)))
    text = write_override(plan).read_text(encoding="utf-8")
    addresses = plan.addresses
    one, two = (addresses.workers[f"node-1/worker-{slot}"] for slot in (1, 2))
    assert f'"127.0.0.1:{addresses.nodes["node-1"]}:8000", "127.0.0.1:{one}:8001", "127.0.0.1:{two}:8002"' in text
    assert '"CATALOG_WORKER_BINDS": "0.0.0.0:8001,0.0.0.0:8002"' in text
    assert text.count('"CATALOG_THREADS": "2"') == 2, "the nodes and the flusher"
    assert text.count("profiles: [not-in-this-run]") == 2
    assert "extends" not in text


def test_a_fourth_node_is_made_after_the_first(tmp_path: Path) -> None:
    """docker-compose.yml has three; more are extensions of node-1, and the edge waits for all and knows all."""
    plan = planned(tmp_path, Topology(nodes=5, workers=1, launcher="compose"))
    text = write_override(plan).read_text(encoding="utf-8")
    assert text.count('"service": "node-1"') == 2
    assert "node-5" in text.partition("depends_on")[2].partition("\n")[0]
    assert "server node-5:8000" in (plan.run.path / "edge" / "cluster.conf").read_text(encoding="utf-8")


def test_no_file_of_a_run_but_the_secret_itself_holds_the_secret(tmp_path: Path) -> None:
    """The containers get it through the environment of init-db, and from there by their volume."""
    plan = planned(tmp_path, Topology(launcher="compose"))
    write_override(plan)
    holding = [path for path in plan.run.path.rglob("*") if path.is_file() and SECRET in path.read_text("utf-8")]
    assert holding == [plan.run.secret_file]


def test_a_persons_own_compose_settings_do_not_lead_to_another_project(monkeypatch: pytest.MonkeyPatch) -> None:
    """COMPOSE_FILE and the like are left out, as is a STRATEGY in the shell; image names and the engine are kept."""
    for name, value in {
        "COMPOSE_FILE": "x",
        "STRATEGY": "ttl",
        "NGINX_IMAGE": "mine",
        "DOCKER_HOST": "tcp://x",
    }.items():
        monkeypatch.setenv(name, value)
    given = environment({"STRATEGY": "pubsub"})
    assert "COMPOSE_FILE" not in given
    assert (given["STRATEGY"], given["NGINX_IMAGE"], given["DOCKER_HOST"]) == ("pubsub", "mine", "tcp://x")


@pytest.mark.parametrize(
    ("topology", "reason"),
    [
        (Topology(launcher="compose", database_url="postgresql://u@h/d"), "unset DATABASE_URL"),
        (Topology(launcher="compose", direct=True), "compose has none"),
    ],
)
def test_what_compose_cannot_have_is_refused(
    tmp_path: Path, fake_docker: Path, topology: Topology, reason: str
) -> None:
    """One sentence, before anything is made."""
    fake_docker.write_text("#!/bin/sh\necho 9.9.9\n", encoding="utf-8")
    launcher, said = ComposeLauncher(new_run(tmp_path / "runs", topology)), list[str]()
    with pytest.raises(RefusedError, match=reason):
        launcher.up(said.append)
    launcher.down(said.append)  # nothing was begun, so there is nothing to do, nor anybody to ask
    assert said == []


def test_a_machine_without_docker_is_told_what_to_get(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One clear sentence."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoEngineError, match="there is no docker command here; https://docs"):
        require()


@pytest.mark.parametrize(
    "said",
    [
        "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
        "permission denied while trying to connect to the Docker daemon socket at unix:///x",
    ],
)
def test_an_engine_that_does_not_answer_is_named(fake_docker: Path, said: str) -> None:
    """With docker's own reason, and what to try."""
    fake_docker.write_text(f"#!/bin/sh\necho '{said}' >&2\nexit 1\n", encoding="utf-8")
    with pytest.raises(NoEngineError, match="start one, or join its group") as caught:
        require()
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("version", "fits"), [("2.24.3", False), ("v2.24.4", True), ("2.26.1-4", True), ("5.0.0", True)]
)
def test_an_old_compose_is_refused_with_the_version_that_would_do(fake_docker: Path, version: str, fits: bool) -> None:
    """The overrides need `!override`."""
    fake_docker.write_text(f"#!/bin/sh\necho {version}\n", encoding="utf-8")
    if fits:
        require()
        return
    with pytest.raises(RefusedError, match=r"too old for generated overrides; 2\.24\.4 will do"):
        require()


def test_a_docker_without_compose_is_told_what_to_install(fake_docker: Path) -> None:
    """The plugin's package."""
    fake_docker.write_text('#!/bin/sh\n[ "$1" = version ]\n', encoding="utf-8")
    with pytest.raises(RefusedError, match="install docker-compose-plugin"):
        require()


def test_a_docker_command_that_fails_is_quoted_with_its_last_words(fake_docker: Path) -> None:
    """What was asked, its status, and what it said."""
    fake_docker.write_text("#!/bin/sh\necho 'no such container' >&2\nexit 3\n", encoding="utf-8")
    with pytest.raises(ClusterError, match=r"`docker kill x` failed \(status 3\):\n    no such container"):
        docker("kill", "x")


def test_a_docker_command_that_hangs_is_let_go(fake_docker: Path) -> None:
    """Every question to the engine has a bound; the client is ended, not left."""
    fake_docker.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    with pytest.raises(NotInTimeError, match=r"`docker ps` did not end within 0\.2 s"):
        docker("ps", within_s=0.2)


def test_without_an_engine_everything_is_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`status` of a run whose engine is gone: nothing runs, and `down` says who will clear what it remembers."""
    plan = planned(tmp_path / "runs", Topology(launcher="compose"))
    monkeypatch.setenv("PATH", str(tmp_path))
    launcher = ComposeLauncher(plan.run)
    assert {server.state for server in launcher.status().everything()} == {State.DEAD}
    said: list[str] = []
    launcher.down(said.append)
    assert "the next `up --launcher compose` removes them" in said[0]
