"""The command line: exit codes, and what a person reads. On the toy launcher, so each test takes a moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cluster.cli import VERBS, cluster
from cluster.launcher import LAUNCHERS
from cluster.processes import family
from cluster.runs import Runs
from cluster.status import parse
from tests.cluster.toy_launcher import NAME, ROW, ToyLauncher

Command = Callable[..., Result]


@pytest.fixture
def command(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run one command line on run folders of the test's own."""
    for name, place in ROW.items():
        monkeypatch.setitem(LAUNCHERS, name, place)
    for name in ("DATABASE_URL", "EDGE_PORT", "MAKELEVEL", "TOCSIN_RUNS"):
        monkeypatch.delenv(name, raising=False)

    def invoke(*words: str) -> Result:
        return CliRunner().invoke(cluster, ["--runs", str(runs.root), *words], prog_name="cluster")

    return invoke


@pytest.fixture
def up(command: Command, runs: Runs) -> Iterator[Result]:
    """A running cluster of toys."""
    yield command("up", "--launcher", NAME, "--nodes", "2")
    for run in runs.all():
        family.kill(run)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dance"], "no verb is called 'dance'; there are up, down, status"),
        (["kill"], "Missing argument 'TARGET'"),
        (["up", "--nodes", "many"], "'many' is not a valid integer"),
        (["up", "--colour", "red"], "No such option"),
        (
            ["up", "--strategy", "magic"],
            "unknown strategy 'magic'; there are no-cache, l2-only, ttl",
        ),
        (["up", "--launcher", "podman"], "unknown launcher 'podman'; there are processes, compose, toy"),
        (["up", "--set", "TOCSIN_L1_TTL_S"], "expected NAME=VALUE"),
        (["partition", "node-1", "--mode", "melt"], "'melt' is not one of 'blackhole', 'refuse', 'reset', 'close'"),
    ],
)
def test_what_cannot_be_meant_is_254_and_one_sentence(command: Command, words: list[str], said: str) -> None:
    """Usage errors are told apart from verdicts, which use 1 and 2."""
    result = command(*words)
    assert result.exit_code == 254
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_what_cannot_be_done_is_1_and_one_sentence(command: Command) -> None:
    """Without a cluster there is nothing to look at or to break; `down` of nothing is done already."""
    for words in (["status"], ["status", "--json"], ["logs"], ["kill", "redis"], ["heal"]):
        result = command(*words)
        assert (result.exit_code, result.stdout) == (1, "")
        assert result.stderr.startswith("cluster: no cluster runs")
    assert command("down").exit_code == 0


def test_a_mistake_of_ours_is_255_and_says_so(command: Command, up: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is raised that nobody meant to raise: with its traceback, for the report."""
    monkeypatch.setattr(ToyLauncher, "heal", lambda _self: [][0])
    result = command("heal")
    assert result.exit_code == 255
    assert "IndexError" in result.stderr
    assert "the examiner itself failed" in result.stderr


def test_up_prints_a_table_and_what_to_try_next(up: Result) -> None:
    """Edge, nodes, workers, Redis; commands that can be pasted."""
    assert up.exit_code == 0, up.output
    for expected in ("2 nodes × 2 workers, strategy sequenced", "node-2", "worker-1", "redis", "flusher", "running"):
        assert expected in up.stdout
    assert "curl -i toy://edge/api/products/1" in up.stdout
    assert "python -m cluster kill node-2" in up.stdout


def test_a_second_up_says_that_nothing_was_changed(command: Command, up: Result) -> None:
    """And shows the same addresses again."""
    again = command("up", "--launcher", NAME, "--nodes", "2")
    assert again.exit_code == 0
    assert "up already" in again.stdout
    assert "nothing was changed" in again.stdout


def test_under_make_the_next_steps_are_make_targets(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever typed `make cluster-up` is told what to type in the same words."""
    monkeypatch.setenv("MAKELEVEL", "1")
    result = command("up", "--launcher", NAME)
    assert "make kill NODE=node-2" in result.stdout
    assert "make cluster-down" in result.stdout


def test_status_is_a_table_for_people_and_json_for_programs(command: Command, up: Result) -> None:
    """Both tell the same; a dead node is seen in both."""
    assert command("kill", "node-2").exit_code == 0
    table, document = command("status"), command("status", "--json")
    assert (table.exit_code, document.exit_code) == (0, 0)
    assert "dead" in table.stdout
    status = parse(document.stdout)
    assert {node.name: str(node.state) for node in status.nodes} == {"node-1": "running", "node-2": "dead"}
    assert json.loads(document.stdout)["run_dir"] == status.run_dir


def test_a_verb_says_what_it_did_and_what_is_now_so(command: Command, up: Result) -> None:
    """Two kinds of line, the second marked."""
    assert command("kill", "node-2").stdout == "killed node-2\nnow: node-2 is dead\n"
    assert command("restart", "node-2").stdout == "restarted node-2\nnow: node-2 runs\n"
    assert command("heal").stdout == "nothing was paused or cut\n"


def test_a_wrong_target_lists_the_right_ones_and_is_254(command: Command, up: Result) -> None:
    """Nothing is touched."""
    result = command("kill", "node-9")
    assert result.exit_code == 254
    assert "nothing here is called 'node-9'; there are node-1, node-1/worker-1" in result.stderr


def test_random_says_whom_and_with_which_seed(command: Command, up: Result) -> None:
    """So that it can be repeated; without --seed one is drawn, and said too."""
    first = command("pause", "random", "--seed", "7").stdout
    assert first == command("pause", "random", "--seed", "7").stdout
    assert "(seed 7)" in first
    assert "(seed " in command("pause", "random").stdout


def test_what_a_launcher_cannot_do_is_refused_with_its_reason(command: Command, up: Result) -> None:
    """Before anything is touched: the toy launcher would raise if it were asked."""
    result = command("partition", "node-1")
    assert result.exit_code == 1
    assert "partition node-1 is refused: toys have no network" in result.stderr


def test_logs_go_to_stdout_with_the_servers_name_where_there_are_several(command: Command, up: Result) -> None:
    """One server's lines come bare, so that they can be piped."""
    assert command("logs", "-n", "3").stdout == "redis | zzz (3, False)\n"
    assert command("logs", "redis", "-f").stdout == "zzz (40, True)\n"


def test_down_says_where_the_logs_are(command: Command, up: Result, runs: Runs) -> None:
    """They outlive the cluster."""
    result = command("down")
    assert result.exit_code == 0
    assert f"Its logs: {runs.all()[0].logs}" in result.stdout
    assert command("down").stdout == "No cluster was running.\n"


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(command: Command, verb: str) -> None:
    """--help of each verb of the table is there, which also proves that the table's places exist."""
    result = command(verb, "--help")
    assert result.exit_code == 0
    assert f"Usage: cluster {verb}" in result.stdout


def test_any_working_directory_will_do(tmp_path: Path) -> None:
    """By the path of the folder; what it finds depends on the clone, not on where it was typed."""
    folder = Path(__file__).resolve().parents[2] / "cluster"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [sys.executable, str(folder), "--runs", "here", "status"]
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (
        1,
        f"python -m cluster: no cluster runs (looked in {tmp_path / 'here'}); `up` starts one\n",
    )
