"""Up and down, whatever the launcher: once, whole or not at all, and nothing of it left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cluster.errors import ClusterError, WrongInputError
from cluster.launcher import LAUNCHERS
from cluster.ledger import Closed
from cluster.lifecycle import bring_up, running_cluster, take_down
from cluster.processes import family
from cluster.runs import Runs
from cluster.topology import Topology
from tests.cluster.toy_launcher import FAILS, NAME, ROW, WAITS
from tests.until import until

ROOT = Path(__file__).resolve().parents[2]
TOPOLOGY = Topology(launcher=NAME, nodes=2)


class Said:
    """What a command told the person while it worked."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def __call__(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the toy launcher into the table."""
    for name, place in ROW.items():
        monkeypatch.setitem(LAUNCHERS, name, place)


@pytest.fixture
def said() -> Said:
    """An empty record."""
    return Said()


def living(runs: Runs) -> set[str]:
    """Names of everything alive of all runs."""
    return {str(member.server) for run in runs.all() for member in family.members(run)}


@pytest.mark.usefixtures("toys")
def test_up_starts_it_and_a_second_up_changes_nothing(runs: Runs, said: Said) -> None:
    """The second one finds what runs, and says since when it is ready; no second run folder, no new process."""
    first = bring_up(TOPOLOGY, runs, said)
    assert first.fresh
    before = {member.seen.pid for run in runs.all() for member in family.members(run)}
    second = bring_up(TOPOLOGY, runs, said)
    assert not second.fresh
    assert (second.status, second.seconds) == (first.status, first.seconds)
    assert {member.seen.pid for run in runs.all() for member in family.members(run)} == before
    assert len(runs.all()) == 1


@pytest.mark.usefixtures("toys")
def test_up_with_another_topology_is_refused_with_the_difference(runs: Runs, said: Said) -> None:
    """What runs is not changed behind anybody's back; the error says what differs and what to do."""
    bring_up(TOPOLOGY, runs, said)
    with pytest.raises(ClusterError, match="nodes 2, not 4; strategy sequenced, not ttl is running; `down` first"):
        bring_up(Topology(launcher=NAME, nodes=4, strategy="ttl"), runs, said)


@pytest.mark.usefixtures("toys")
def test_whoever_names_no_port_is_content_with_the_one_that_is(runs: Runs, said: Said) -> None:
    """A cluster that was asked for at a port of its own is not another cluster; one at another port is."""
    bring_up(msgspec.structs.replace(TOPOLOGY, edge_port=9000), runs, said)
    assert not bring_up(TOPOLOGY, runs, said).fresh
    assert not bring_up(msgspec.structs.replace(TOPOLOGY, edge_port=0), runs, said).fresh
    with pytest.raises(ClusterError, match="edge port 9000, not 9001"):
        bring_up(msgspec.structs.replace(TOPOLOGY, edge_port=9001), runs, said)


@pytest.mark.usefixtures("toys")
def test_up_on_a_cluster_with_dead_parts_says_which(runs: Runs, said: Said) -> None:
    """It is not what was asked for, so this is an error; nothing is restarted unasked."""
    bring_up(TOPOLOGY, runs, said)
    run, _ = running_cluster(runs)
    family.kill(run, "node-2")
    with pytest.raises(ClusterError, match="dead: node-2; `restart` brings one back"):
        bring_up(TOPOLOGY, runs, said)


@pytest.mark.usefixtures("toys")
def test_down_leaves_nothing_and_is_idempotent(runs: Runs, said: Said) -> None:
    """No process, no `current`, a closed ledger; the folder with the logs stays. A second `down` finds nothing."""
    bring_up(TOPOLOGY, runs, said)
    ended = take_down(runs, said)
    assert ended is not None
    assert living(runs) == set()
    assert runs.current() is None
    assert ended.ledger.closed
    assert ended.logs.is_dir()
    assert take_down(runs, said) is None
    with pytest.raises(ClusterError, match=r"no cluster runs .*`up` starts one"):
        running_cluster(runs)


@pytest.mark.usefixtures("toys")
def test_a_start_that_fails_is_taken_back(runs: Runs, said: Said) -> None:
    """What had been started before the failure is ended; the next `up` works."""
    runs.root.mkdir()
    (runs.root / FAILS).touch()
    with pytest.raises(ClusterError, match="a toy broke"):
        bring_up(TOPOLOGY, runs, said)
    assert living(runs) == set()
    assert runs.current() is None
    (runs.root / FAILS).unlink()
    assert bring_up(TOPOLOGY, runs, said).fresh


@pytest.mark.usefixtures("toys")
def test_after_a_reboot_up_starts_anew(runs: Runs, said: Said) -> None:
    """`current` and an open ledger, but nothing alive: that is no cluster."""
    bring_up(TOPOLOGY, runs, said)
    run, _ = running_cluster(runs)
    family.kill(run)
    assert bring_up(TOPOLOGY, runs, said).fresh
    assert any("clearing what was left" in line for line in said.lines)
    assert isinstance(run.ledger.entries()[-1], Closed)


def test_an_unknown_launcher_is_answered_with_the_right_ones(runs: Runs, said: Said) -> None:
    """Before anything is made."""
    with pytest.raises(WrongInputError, match="unknown launcher 'podman'; there are processes, compose"):
        bring_up(Topology(launcher="podman"), runs, said)
    assert runs.all() == ()


def start_up_that_waits(runs: Runs) -> subprocess.Popen[str]:
    """`up` in a process of its own, half-way: one server runs, and the command waits."""
    runs.root.mkdir(exist_ok=True)
    (runs.root / WAITS).touch()
    command = subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.toy_launcher", "--runs", str(runs.root), "up", "--launcher", NAME],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    until(lambda: living(runs) == {"redis"}, within_s=20, waiting_for="the first server")
    return command


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
@pytest.mark.usefixtures("toys")
def test_an_interrupted_up_takes_everything_down_again(runs: Runs, number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal alike: exit 1, nothing is left, and it says so."""
    command = start_up_that_waits(runs)
    os.kill(command.pid, number)
    _, errors = command.communicate(timeout=30)
    assert command.returncode == 1
    assert "interrupted" in errors
    assert "Traceback" not in errors
    assert living(runs) == set()
    assert runs.current() is None
    assert runs.unfinished() == ()


@pytest.mark.usefixtures("toys")
def test_up_after_a_killed_up_clears_what_it_left(runs: Runs, said: Said) -> None:
    """Kill -9 in the middle: the next `up` finds the leftovers by the ledger, ends them, says so, and starts anew."""
    command = start_up_that_waits(runs)
    command.kill()
    command.communicate(timeout=30)
    assert living(runs) == {"redis"}
    left = runs.all()[0]
    (runs.root / WAITS).unlink()
    brought = bring_up(TOPOLOGY, runs, said)
    assert brought.fresh
    assert f"clearing what was left of {left.name}" in said.lines
    assert family.members(left) == ()
    assert left.ledger.closed


@pytest.mark.usefixtures("toys")
def test_down_after_a_killed_up_ends_what_it_left(runs: Runs, said: Said) -> None:
    """`down` does not need the cluster to have been ready."""
    command = start_up_that_waits(runs)
    command.kill()
    command.communicate(timeout=30)
    assert take_down(runs, said) is not None
    assert living(runs) == set()
    assert runs.current() is None


@pytest.mark.usefixtures("toys")
def test_two_ups_at_once_make_one_cluster(runs: Runs, said: Said) -> None:
    """The second waits for the first, says so, and then finds its cluster."""
    command = start_up_that_waits(runs)

    def let_the_first_go_on(line: str) -> None:
        said(line)
        (runs.root / WAITS).unlink(missing_ok=True)

    brought = bring_up(Topology(launcher=NAME), runs, let_the_first_go_on)
    _, errors = command.communicate(timeout=30)
    assert command.returncode == 0, errors
    assert not brought.fresh
    assert any(f"waiting for `up` (pid {command.pid})" in line for line in said.lines)
    assert len(runs.all()) == 1
