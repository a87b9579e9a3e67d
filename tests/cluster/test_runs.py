"""Run folders: private, named by time, found from anywhere, and never more than a handful."""

from __future__ import annotations

import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from cluster.errors import ClusterError, NotInTimeError
from cluster.ledger import Ready
from cluster.runs import Run, Runs, runs_folder
from cluster.topology import Topology

WHEN = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)


def mode(path: Path) -> int:
    """Permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


def test_a_run_folder_is_its_owners_alone(run: Run) -> None:
    """The secret opens the control routes, and the sockets in it obey whoever reaches them."""
    assert (mode(run.path), mode(run.logs), mode(run.folder("redis"))) == (0o700, 0o700, 0o700)
    assert mode(run.secret_file) == 0o600
    assert run.secret() == "a-secret-of-the-tests"


def test_a_run_is_named_by_its_time_and_latest_points_to_it(runs: Runs, run: Run) -> None:
    """Names sort by time; two runs of one second differ."""
    assert run.name.startswith("20261123T081500Z-")
    other = runs.create(Topology(nodes=5), now=WHEN, secret="x")
    assert other.name != run.name
    assert (runs.root / "latest").resolve() == other.path
    assert other.topology() == Topology(nodes=5)


def test_current_is_there_only_while_a_cluster_runs(runs: Runs, run: Run) -> None:
    """Absent, a run, absent again; a link whose folder was removed is no run either."""
    assert runs.current() is None
    runs.make_current(run)
    assert runs.current() == run
    runs.no_current()
    assert runs.current() is None
    (runs.root / "current").symlink_to("removed-by-hand")
    assert runs.current() is None


def test_old_finished_runs_are_removed_and_open_ones_are_not(runs: Runs) -> None:
    """Of those that are over the newest stay; one whose ledger is open may have living processes."""
    made = [runs.create(Topology(), now=WHEN + timedelta(seconds=second), secret="x") for second in range(5)]
    made[0].ledger.add(Ready(seconds=1.0))
    runs.prune(keep=2)
    assert runs.all() == (made[0], made[3], made[4])
    assert runs.unfinished() == (made[0],)


def test_the_folder_lies_in_the_clone_unless_it_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wherever the command is typed; --runs wins over TOCSIN_RUNS, and a relative one is made absolute."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TOCSIN_RUNS", raising=False)
    assert runs_folder().root == Path(__file__).resolve().parents[2] / "runs"
    monkeypatch.setenv("TOCSIN_RUNS", "elsewhere")
    assert runs_folder().root == tmp_path / "elsewhere"
    assert runs_folder(str(tmp_path / "named")).root == tmp_path / "named"


def test_a_place_that_cannot_be_used_is_named_with_the_remedy(tmp_path: Path) -> None:
    """A file where the folder should be."""
    (tmp_path / "runs").touch()
    with pytest.raises(ClusterError, match=r"can't be made .*TOCSIN_RUNS"), Runs(tmp_path / "runs" / "deep").lock("up"):
        pass


def test_the_lock_names_its_holder_and_falls_with_it(runs: Runs) -> None:
    """A second command waits, tells so once, and gives up with the holder's name; a killed holder holds nothing."""
    hold = (
        "import sys, pathlib\n"
        "from cluster.runs import Runs\n"
        "with Runs(pathlib.Path(sys.argv[1])).lock('restart node-2'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(runs.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    notices: list[str] = []
    named = rf"up: .*`restart node-2` \(pid {holder.pid}\) still holds"
    with pytest.raises(NotInTimeError, match=named), runs.lock("up", within_s=0.3, notice=notices.append):
        pass
    assert len(notices) == 1
    holder.kill()
    holder.communicate(timeout=10)
    with runs.lock("up", within_s=5):
        pass
