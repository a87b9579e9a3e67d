"""The demo for real: on a cluster that it brings up, on that same cluster, on one beside it, and with Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.checker.judgement import judge
from cluster.checker.verdict import Decision
from cluster.history.columns import History
from cluster.history.operation import Phase
from cluster.history.reader import read_history
from tests.until import until

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]


class Clone:
    """Commands with a folder of runs of their own."""

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        unwanted = {"DATABASE_URL", "EDGE_PORT", "MAKELEVEL"}
        self.environment = {name: value for name, value in os.environ.items() if name not in unwanted}
        self.environment["TOCSIN_RUNS"] = str(runs)

    def start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "cluster", *words],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *words: str) -> str:
        """What a command prints on stdout; it must succeed."""
        with self.start(*words) as process:
            printed, told = process.communicate(timeout=240)
        assert process.returncode == 0, f"{words}: {printed}\n{told}"
        return printed

    def processes(self) -> dict[str, tuple[str, int]]:
        """State and pid of each node and worker, by name."""
        nodes = json.loads(self.command("status", "--json"))["nodes"]
        return {each["name"]: (each["state"], each["pid"]) for node in nodes for each in (node, *node["workers"])}

    def all_run(self) -> bool:
        return {state for state, _ in self.processes().values()} == {"running"}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clone]:
    found = Clone(tmp_path_factory.mktemp("runs"))
    try:
        yield found
    finally:
        found.command("down")


def history_named_in(printed: str) -> History:
    found = re.search(r"The history: (\S+) \(seed \d+\)", printed)
    assert found is not None, printed
    return read_history(Path(found[1]))


def insist_sound(history: History) -> None:
    """What no strategy and no dead node excuses."""
    judgement = judge(history)
    for verdict in (judgement.phantom, judgement.lost_write, judgement.leak, judgement.quiescent_agreement):
        assert verdict.decision is Decision.VALID, f"{verdict.property}: {verdict.reason}; {verdict.witness()}"
    assert {fault.action for fault in history.faults} == {"start", "stop"}


def test_the_first_demo_brings_the_cluster_up_and_the_second_finds_it(clone: Clone) -> None:
    """Both show what clients saw; the node that was killed is back; the cluster stays."""
    first = clone.command("demo", "--duration", "4", "--rate", "80", "--seed", "3", "--port", "0")
    assert "What clients saw: strategy sequenced, cache-aside, 3 nodes × 2 workers" in first
    assert "The cluster stays up" in first
    for row in ("asked", "answered", "errors", "by the database", "stale", "worst staleness", "at rest", "leaks"):
        assert re.search(rf"^  {row} ", first, re.MULTILINE), row
    insist_sound(history_named_in(first))
    assert clone.all_run()
    second = clone.command("demo", "--duration", "3", "--rate", "80")
    assert "The cluster stays up" not in second
    insist_sound(history_named_in(second))
    assert "The contrast: python -m cluster demo --strategy ttl" in second


def test_another_strategy_gets_a_cluster_of_its_own(clone: Clone) -> None:
    """It is gone afterwards, its history is not, and the first cluster was not touched."""
    clone.command("up", "--port", "0")
    before = clone.processes()
    other = ("--strategy", "no-cache", "--nodes", "2", "--workers", "1")
    printed = clone.command("demo", *other, "--duration", "3", "--rate", "80")
    assert "What clients saw: strategy no-cache, cache-aside, 2 nodes × 1 workers" in printed
    history = history_named_in(printed)
    insist_sound(history)
    assert history.header.strategy == "no-cache"
    assert not (clone.runs / "demo" / "current").exists()
    assert clone.processes() == before


def test_ctrl_c_ends_the_traffic_and_still_shows_what_there_is(clone: Clone) -> None:
    """After the kill: the node is started again, everything is judged, and the exit is clean."""
    clone.command("up", "--port", "0")
    folder = (clone.runs / "current").resolve() / "demo"
    earlier = set(folder.glob("*/history.jsonl"))
    with clone.start("demo", "--duration", "12", "--rate", "80") as process:

        def killed() -> bool:
            assert process.poll() is None, "the demo ended by itself"
            fresh = set(folder.glob("*/history.jsonl")) - earlier
            return any(b'"type":"fault"' in path.read_bytes() for path in fresh)

        until(killed, within_s=120, waiting_for="the demo to kill a node")
        process.send_signal(signal.SIGINT)
        printed, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    history = history_named_in(printed)
    insist_sound(history)
    assert {Phase.WARM, Phase.FINAL} <= {each.phase for each in history.operations()}
    assert clone.all_run()
