"""Which cluster a demo plays on: each row of the module's table, with clusters that only pretend to run."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from cluster.demo import stage as stages
from cluster.demo.stage import set_stage, shared_by, topology_like
from cluster.errors import ClusterError, WrongInputError
from cluster.lifecycle import Brought
from cluster.runs import Runs
from cluster.status import State
from cluster.topology import Topology
from tests.demo.toy import ToyLauncher

EDGE = "http://127.0.0.1:8080"


class Pretence:
    """`up` and `down` that make and forget run folders, and note what they were asked."""

    def __init__(self, patch: pytest.MonkeyPatch, root: Path) -> None:
        self.runs = Runs(root)
        self.toy = ToyLauncher(EDGE, root / "catalog.db")
        self.did: list[tuple[str, Path, Topology | None]] = []
        self.said: list[str] = []
        patch.setattr(stages, "launcher_of", lambda _: self.toy)
        patch.setattr(stages, "bring_up", self.bring_up)
        patch.setattr(stages, "take_down", self.take_down)

    def bring_up(self, topology: Topology, runs: Runs, say: object) -> Brought:
        self.did.append(("up", runs.root, topology))
        runs.make_current(runs.create(topology, now=datetime.now(UTC), secret="x"))
        return Brought(self.toy.status(), 1.0, fresh=True)

    def take_down(self, runs: Runs, say: object) -> None:
        self.did.append(("down", runs.root, None))
        runs.no_current()

    def running(self, **fields: object) -> None:
        """A cluster runs already."""
        self.bring_up(topology_like(Topology(), fields), self.runs, None)
        self.did.clear()

    def stage(self, **asked: object) -> stages.Stage:
        return set_stage(asked, self.runs, self.said.append)


@pytest.fixture
def pretence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Pretence:
    return Pretence(monkeypatch, tmp_path / "runs")


def test_where_nothing_runs_a_cluster_is_brought_up_and_stays(pretence: Pretence) -> None:
    """With what was asked for, and defaults for the rest."""
    stage = pretence.stage(strategy="ttl", nodes=2)
    assert pretence.did == [("up", pretence.runs.root, Topology(strategy="ttl", nodes=2))]
    assert (stage.fresh, stage.own) == (True, False)
    stage.close(pretence.said.append)
    assert pretence.runs.current() is not None


def test_the_cluster_that_runs_is_taken_where_it_is_as_asked(pretence: Pretence) -> None:
    """Whoever asks for nothing is content with whatever runs."""
    pretence.running(strategy="ttl", workers=3)
    for asked in ({}, {"strategy": "ttl"}, {"strategy": "ttl", "workers": 3, "edge_port": 8080}):
        stage = pretence.stage(**asked)
        assert (stage.fresh, stage.own, stage.run) == (False, False, pretence.runs.current())
    assert pretence.did == []


def test_for_another_strategy_the_demo_gets_a_cluster_of_its_own(pretence: Pretence) -> None:
    """It is like the one that runs, but for what was asked; on another port; and gone after the demo."""
    pretence.running(strategy="pubsub", workers=3, edge_port=8080)
    stage = pretence.stage(strategy="ttl")
    beside = pretence.runs.root / "demo"
    assert pretence.did == [("up", beside, Topology(strategy="ttl", workers=3, edge_port=0))]
    assert pretence.said == [
        "the cluster that runs has strategy pubsub, not ttl: it stays as it is, and the demo gets one of its own"
    ]
    stage.close(pretence.said.append)
    assert pretence.did[-1] == ("down", beside, None)
    assert pretence.runs.current() is not None


def test_what_a_killed_demo_left_is_ended_first(pretence: Pretence) -> None:
    """Its cluster beside the other is found by the next demo."""
    pretence.running(strategy="pubsub")
    pretence.stage(strategy="ttl")
    pretence.did.clear()
    pretence.stage(strategy="ttl")
    assert [verb for verb, _, _ in pretence.did] == ["down", "up"]


@pytest.mark.parametrize(
    ("running", "asked", "why"),
    [
        ({"launcher": "compose"}, {"strategy": "ttl"}, "compose runs one cluster of a clone at a time; `down` first"),
        ({"database_url": "postgresql://h/d"}, {"strategy": "ttl"}, "two clusters must not share a database"),
    ],
)
def test_where_no_second_cluster_can_be_the_reason_is_said(
    pretence: Pretence, running: dict[str, object], asked: dict[str, object], why: str
) -> None:
    """And nothing is touched."""
    pretence.running(**running)
    with pytest.raises(ClusterError, match=why):
        pretence.stage(**asked)
    assert pretence.did == []


def test_different_launchers_and_databases_share_nothing() -> None:
    """Processes beside compose, SQLite beside PostgreSQL."""
    plain = Topology()
    assert shared_by(plain, msgspec.structs.replace(plain, launcher="compose")) is None
    assert shared_by(plain, msgspec.structs.replace(plain, database_url="postgresql://h/d")) is None


def test_a_cluster_that_is_not_well_is_no_stage(pretence: Pretence) -> None:
    """What is dead is named, with its remedy: the demo's own kill would mean nothing."""
    pretence.running()
    pretence.toy.dead.add("node-2")
    with pytest.raises(ClusterError, match=r"node-2 is dead; `restart` brings one back"):
        pretence.stage()


def test_a_cut_or_paused_cluster_is_no_stage(pretence: Pretence, monkeypatch: pytest.MonkeyPatch) -> None:
    """`heal` mends both."""
    pretence.running()
    well = pretence.toy.status()
    cut = msgspec.structs.replace(well, cut=("node-1→redis",))
    paused = msgspec.structs.replace(well, redis=msgspec.structs.replace(well.redis, state=State.PAUSED))
    for status, text in ((cut, "node-1→redis is cut; `heal`"), (paused, "redis is paused; `heal`")):
        monkeypatch.setattr(ToyLauncher, "status", lambda _, status=status: status)
        with pytest.raises(ClusterError, match=text):
            pretence.stage()


def test_what_no_cluster_can_have_is_refused(pretence: Pretence) -> None:
    """With the names of what there is."""
    with pytest.raises(WrongInputError, match="magic"):
        pretence.stage(strategy="magic")
