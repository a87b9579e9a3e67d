"""A pid of ours is a process for ever: what took its number later is never mistaken for it, and never signalled."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator

import msgspec
import pytest

from cluster.pid import Pid, environment_of, everyone, look, send, state_of
from cluster.processes.spawn import bury
from cluster.status import State
from tests.until import until


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that does nothing, and is waited for at the end."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait(10)


def pid_of(process: subprocess.Popen[bytes]) -> Pid:
    """The full pid of a process that was just started."""
    seen = look(process.pid)
    assert seen is not None
    return seen.pid


def test_a_process_runs_is_paused_and_runs_again(sleeper: subprocess.Popen[bytes]) -> None:
    """The state is the kernel's word."""
    pid = pid_of(sleeper)
    assert state_of(pid) is State.RUNNING
    assert send(pid, signal.SIGSTOP)
    until(lambda: state_of(pid) is State.PAUSED, within_s=5, waiting_for="the pause")
    assert send(pid, signal.SIGCONT)
    until(lambda: state_of(pid) is State.RUNNING, within_s=5, waiting_for="the resume")


def test_a_zombie_is_dead_and_is_buried_by_its_parent(sleeper: subprocess.Popen[bytes]) -> None:
    """Only its exit status is left of it; taking that makes the number free."""
    pid = pid_of(sleeper)
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # it is a zombie now, and stays one
    seen = look(pid.number)
    assert seen is not None
    assert seen.letter == "Z"
    assert state_of(pid) is State.DEAD
    assert not send(pid, signal.SIGTERM)
    assert bury(pid) == -signal.SIGKILL
    assert look(pid.number) is None
    assert bury(pid) is None


@pytest.mark.parametrize("change", [{"born_ticks": 1}, {"boot": "another-boot"}])
def test_who_took_over_a_number_is_never_signalled(sleeper: subprocess.Popen[bytes], change: dict[str, object]) -> None:
    """The ledger's process had this number, but was born at another tick, or before the machine was started again."""
    gone = msgspec.structs.replace(pid_of(sleeper), **change)
    assert state_of(gone) is State.DEAD
    assert not send(gone, signal.SIGKILL)
    assert sleeper.poll() is None


def test_a_number_that_nobody_has_is_dead() -> None:
    """No process, no signal, no environment."""
    process = subprocess.Popen(["true"])
    pid = pid_of(process)
    process.wait(10)
    assert state_of(pid) is State.DEAD
    assert not send(pid, signal.SIGKILL)
    assert environment_of(pid) == frozenset()
    assert state_of(None) is State.DEAD


def test_a_name_with_blanks_and_parentheses_is_read_past() -> None:
    """/proc/<pid>/stat holds the program's name as it is; fields are counted from its last parenthesis."""
    process = subprocess.Popen(
        ["/bin/sh", "-c", 'printf "a) R (1 2" > /proc/self/comm; read -r x'], stdin=subprocess.PIPE
    )
    try:
        until(lambda: b"a) R" in _comm(process.pid), within_s=5, waiting_for="the odd name")
        seen = look(process.pid)
        assert seen is not None
        assert (seen.parent, seen.session) == (os.getpid(), os.getsid(0))
    finally:
        process.communicate(b"\n", timeout=10)


def test_everyone_leaves_ourselves_out(sleeper: subprocess.Popen[bytes]) -> None:
    """A command that looks for a run's processes must not find itself."""
    numbers = {seen.pid.number for seen in everyone()}
    assert sleeper.pid in numbers
    assert os.getpid() not in numbers


def _comm(number: int) -> bytes:
    with open(f"/proc/{number}/comm", "rb") as file:  # noqa: PTH123  # a path of the kernel's
        return file.read()
