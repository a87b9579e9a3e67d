"""Finding all processes of a run again, whoever started them, and ending them: none is lost, no stranger is touched."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.pid import Pid, look, send, state_of
from cluster.processes import family
from cluster.processes.spawn import GATE, MARKER, Command, spawn
from cluster.runs import Run
from cluster.status import State
from tests.until import until


def start(run: Run, name: str, *argv: str) -> Pid:
    """Spawn a server that works in its own folder."""
    return spawn(run, name, Command(argv, run.folder(name))).pid


def numbers(run: Run, server: str | None = None) -> set[int]:
    """Pids of a run's living processes."""
    return {member.seen.pid.number for member in family.members(run, server)}


def number_in(path: Path) -> int:
    """The pid that a test's script has written into a file."""
    until(lambda: path.exists() and path.read_text(encoding="ascii").endswith("\n"), within_s=10, waiting_for=str(path))
    return int(path.read_text(encoding="ascii"))


def test_a_spawned_process_stands_in_the_ledger_and_works(run: Run) -> None:
    """It leads a session of its own, writes into its log, and is found by number and birth."""
    spawned = spawn(run, "node-1", Command(("/bin/sh", "-c", "echo hello; exec sleep 60"), run.folder("node-1")))
    assert run.ledger.leaders() == {"node-1": spawned.pid}
    until(lambda: spawned.said() == "hello\n", within_s=5, waiting_for="its first word")
    member = family.members(run, "node-1")[0]
    assert (member.seen.pid, member.leads) == (spawned.pid, True)


def test_a_process_whose_command_dies_before_the_ledger_never_begins(tmp_path: Path) -> None:
    """It waits at the gate for "go"; the end of its input, which a killed command leaves, is not that."""
    made = tmp_path / "made"
    done = subprocess.run(
        ["/bin/sh", "-c", GATE, "node-1", "touch", str(made)], stdin=subprocess.DEVNULL, timeout=10, check=False
    )
    assert done.returncode != 0
    assert not made.exists()


def test_a_child_sees_the_marker_and_none_of_the_persons_own_settings(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What would change a server behind the topology's back stays outside; PATH and the like go in."""
    monkeypatch.setenv("TOCSIN_L1_TTL_S", "99")
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--workers 9")
    monkeypatch.setenv("REDIS_URL", "redis://elsewhere")
    command = Command(("env",), run.folder("node-1"), {"CATALOG_NODE": "node-1"})
    spawned = spawn(run, "node-1", command)
    until(lambda: state_of(spawned.pid) is State.DEAD, within_s=5, waiting_for="env to end")
    seen = dict(line.split("=", 1) for line in spawned.said().splitlines() if "=" in line)
    assert seen[MARKER] == str(run.path)
    assert seen["CATALOG_NODE"] == "node-1"
    assert "PATH" in seen
    assert not {"TOCSIN_L1_TTL_S", "GUNICORN_CMD_ARGS", "REDIS_URL"} & set(seen)


def test_a_program_that_is_not_there_is_said_so_in_its_log(run: Run) -> None:
    """The gate opens, nothing is behind it: status 127 and the reason in the log."""
    spawned = spawn(run, "redis", Command(("/no/such/redis-server",), run.folder("redis")))
    until(lambda: state_of(spawned.pid) is State.DEAD, within_s=5, waiting_for="the failure")
    assert "/no/such/redis-server" in spawned.said()


def test_workers_belong_to_their_leader_and_the_leader_comes_first(run: Run) -> None:
    """A node is its whole session."""
    leader = start(run, "node-1", "/bin/sh", "-c", "sleep 60 & sleep 60 & wait")
    until(lambda: len(numbers(run, "node-1")) == 3, within_s=5, waiting_for="two workers")
    assert family.members(run, "node-1")[0].seen.pid == leader
    assert family.kill(run, "node-1") == 3
    assert numbers(run) == set()


def test_a_worker_that_lost_its_leader_is_still_found(run: Run) -> None:
    """Kill -9 of a master alone leaves its workers: they carry the marker."""
    leader = start(run, "node-1", "/bin/sh", "-c", "sleep 60 & wait")
    until(lambda: len(numbers(run)) == 2, within_s=5, waiting_for="a worker")
    send(leader, signal.SIGKILL)
    until(lambda: state_of(leader) is State.DEAD, within_s=5, waiting_for="the master's death")
    assert len(numbers(run, "node-1")) == 1
    assert family.kill(run) == 1


def test_a_worker_without_its_environment_is_found_by_session_and_folder(run: Run) -> None:
    """Nginx overwrites its environment with a title: then the leader's session and the run folder are the sign."""
    leader = start(run, "edge", "/bin/sh", "-c", "env -i /bin/sleep 60 & wait")
    until(lambda: len(numbers(run)) == 2, within_s=5, waiting_for="a worker")
    send(leader, signal.SIGKILL)
    until(lambda: state_of(leader) is State.DEAD, within_s=5, waiting_for="the master's death")
    assert len(numbers(run, "edge")) == 1
    assert family.kill(run, "edge") == 1


def test_a_detached_grandchild_is_found_by_its_marker(run: Run) -> None:
    """A server may start helpers in sessions of their own, that no ledger knows."""
    file = run.path / "helper.pid"
    start(run, "node-1", "setsid", "/bin/sh", "-c", f"echo $$ > {file}; exec sleep 60")
    helper = number_in(file)
    assert helper in numbers(run)
    family.kill(run)
    seen = look(helper)
    assert seen is None or seen.state is State.DEAD


def test_an_agent_in_a_session_of_its_own_belongs_to_the_node_that_its_environment_names(run: Run) -> None:
    """A node that is killed is killed with its agent, though a worker has started it detached."""
    detached = Command(
        ("/bin/sh", "-c", f"setsid sleep 60 & echo $! >{run.path}/agent; exec sleep 60"),
        run.folder("node-1"),
        {"CATALOG_NODE": "node-1"},
    )
    leader = spawn(run, "node-1", detached).pid
    agent = number_in(run.path / "agent")
    until(lambda: (seen := look(agent)) is not None and seen.session == agent, within_s=5, waiting_for="its session")
    assert numbers(run, "node-1") == {leader.number, agent}
    assert family.kill(run, "node-1") == 2


def test_a_stranger_who_works_in_the_run_folder_is_left_alone(run: Run) -> None:
    """Somebody's shell or editor may stand there: a working directory alone is no sign."""
    start(run, "node-1", "sleep", "60")
    stranger = subprocess.Popen(["sleep", "60"], cwd=run.logs, start_new_session=True)
    try:
        assert stranger.pid not in numbers(run)
        family.kill(run)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait(10)


def test_who_ends_when_asked_is_not_forced(run: Run) -> None:
    """SIGTERM is enough for most; a paused one is woken to hear it."""
    first, second = start(run, "node-1", "sleep", "60"), start(run, "node-2", "sleep", "60")
    send(second, signal.SIGSTOP)
    until(lambda: state_of(second) is State.PAUSED, within_s=5, waiting_for="the pause")
    assert family.end(run, ["node-1", "node-2"], within_s=10) == ()
    assert {state_of(first), state_of(second)} == {State.DEAD}


def test_who_does_not_end_when_asked_is_forced_and_named(run: Run) -> None:
    """A server that ignores SIGTERM is killed after the bound."""
    deaf = spawn(run, "flusher", Command(("/bin/sh", "-c", "trap '' TERM; echo on; sleep 60"), run.folder("flusher")))
    until(lambda: deaf.said() == "on\n", within_s=5, waiting_for="the trap")
    assert family.end(run, ["flusher"], within_s=0.2) == ("flusher",)
    assert state_of(deaf.pid) is State.DEAD


def test_orphans_are_found_when_their_run_folder_is_gone(run: Run) -> None:
    """`rm -rf runs` under a living cluster: the marker still names where it was; other runs are spared."""
    pid = start(run, "node-1", "sleep", "60")
    assert family.orphans(run.path.parent, but=(run.path,)) == ()
    shutil.rmtree(run.path)
    assert family.orphans(run.path.parent, but=()) == (pid,)
    family.kill_pids((pid,))
    assert state_of(pid) is State.DEAD


def test_a_process_that_cannot_be_ended_is_named() -> None:
    """Another user's process, or one that hangs in the kernel: the error gives its number and says what to do."""
    as_nobody = (
        "import os\n"
        "from cluster.pid import look\n"
        "from cluster.processes import family\n"
        "init, family.KILL_S = look(1).pid, 0.2\n"
        "if os.geteuid() == 0: os.setgid(65534), os.setuid(65534)\n"
        "family.kill_pids([init])\n"
    )
    done = subprocess.run([sys.executable, "-c", as_nobody], capture_output=True, text=True, timeout=30, check=False)
    assert ClusterError.__name__ in done.stderr
    assert "pid 1 live on" in done.stderr
