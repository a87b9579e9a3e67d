"""The demo's play on a toy cluster: what is killed is started again, and all of it is on file."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from cluster.demo import play as plays
from cluster.demo.play import Plan, Play, Played
from cluster.errors import ClusterError
from cluster.history.columns import History
from cluster.history.operation import Phase
from cluster.history.reader import read_history
from cluster.history.recorder import Recorder
from cluster.runs import Run, Runs
from cluster.workload.profile import Profile
from tests.demo.toy import ToyLauncher, ToyStage, committing, database_at, forgetful
from tests.workload.origin import Script, origin

PLAN = Plan(
    profile=Profile(products=tuple(range(1, 31)), rate_per_s=100, write_share=0.2, timeout_s=5),
    duration_s=1.0,
    seed=7,
    run_tag="0badcafe",
)


class Stand:
    """One toy cluster in a folder, and what was told."""

    def __init__(self, folder: Path, script: Script, *, nodes: int = 2, products: int = 20) -> None:
        self.folder, self.script = folder, script
        self.database = folder / "catalog.db"
        if not self.database.exists():
            database_at(self.database, products=products)
        self.toy = ToyLauncher("", self.database, nodes)
        self.told: list[str] = []

    def play(self, stop: Callable[[asyncio.AbstractEventLoop, asyncio.Event], object] = lambda *_: None) -> Played:
        """Play the plan to its end; `stop` may arrange for another."""

        async def main() -> Played:
            async with origin(self.script) as running:
                self.toy.url = running.url
                stage = ToyStage(Runs(self.folder), Run(self.folder), False, False, self.toy)
                ended = asyncio.Event()
                stop(asyncio.get_running_loop(), ended)
                with Recorder(self.folder / "history.jsonl") as recorder:
                    play = Play(
                        stage,
                        PLAN,
                        recorder,
                        tell=lambda _, line: self.told.append(line),
                        watch=lambda _, tally: self.told.append(f"{tally.asked} asked"),
                    )
                    return await play.perform(ended)

        return asyncio.run(main())

    @property
    def history(self) -> History:
        """What is on file."""
        return read_history(self.folder / "history.jsonl")


def test_a_node_is_killed_half_way_and_started_again(tmp_path: Path) -> None:
    """The kill and its undoing are on file, with evidence; the traffic has both phases; all come to rest."""
    stand = Stand(tmp_path, committing(tmp_path / "catalog.db"))
    played = stand.play()
    assert played.killed is not None
    assert stand.toy.did == [f"kill {played.killed}", f"restart {played.killed}"]
    assert 0.5 <= played.killed_at_s < played.traffic_s
    assert played.unsettled is None
    faults = stand.history.faults
    assert [(each.fault, each.action, each.target) for each in faults] == [
        ("kill", "start", played.killed.name),
        ("kill", "stop", played.killed.name),
    ]
    assert faults[0].evidence["pid"] != faults[1].evidence["pid"]
    phases = {each.phase for each in stand.history.operations()}
    assert phases == {Phase.WARM, Phase.FAULT, Phase.SETTLE, Phase.FINAL}
    assert "killed" in " ".join(stand.told)


def test_the_history_begins_with_baselines_and_ends_with_the_audit(tmp_path: Path) -> None:
    """Every product that is there has a baseline; every acknowledged write is in the audit; nobody asks for others."""
    stand = Stand(tmp_path, committing(tmp_path / "catalog.db"))
    stand.play()
    history = stand.history
    assert len(history.baselines) == 20
    assert history.audited
    writes = {each.operation_id for each in history.operations() if each.kind == "write"}
    assert writes == {history.operation_ids[each] for each in history.audit_operation_ids}
    assert {each.key for each in history.operations() if each.key.startswith("product:")} <= {
        f"product:{number}" for number in range(1, 21)
    }


def test_the_same_seed_asks_for_the_same_and_kills_the_same(tmp_path: Path) -> None:
    """What is sent is fixed by the seed; what a cluster does with it is not."""
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        stand = Stand(tmp_path / name, committing(tmp_path / name / "catalog.db"))
        played = stand.play()
        traffic = [each for each in stand.history.operations() if each.phase in (Phase.WARM, Phase.FAULT)]
        asked = [(each.kind, each.key, each.via) for each in sorted(traffic, key=lambda each: each.index)]
        found.append((played.killed, asked))
    assert found[0] == found[1]


def test_a_wish_to_stop_before_the_kill_kills_nobody(tmp_path: Path) -> None:
    """Ctrl-C: the traffic ends, the rest happens as always."""
    stand = Stand(tmp_path, committing(tmp_path / "catalog.db"))
    played = stand.play(lambda loop, ended: loop.call_later(0.2, ended.set))
    assert played.killed is None
    assert played.traffic_s < 1.0
    assert stand.toy.did == []
    assert stand.history.audited


def test_whoever_is_cancelled_starts_again_what_was_killed(tmp_path: Path) -> None:
    """A second Ctrl-C: everything stops at once, but no node stays dead."""
    stand = Stand(tmp_path, committing(tmp_path / "catalog.db"))

    def cancel(loop: asyncio.AbstractEventLoop, _: asyncio.Event) -> None:
        me = asyncio.current_task()
        assert me is not None

        def when_killed() -> None:
            if stand.toy.did:
                me.cancel()
            else:
                loop.call_later(0.02, when_killed)

        when_killed()

    with pytest.raises(asyncio.CancelledError):
        stand.play(cancel)
    assert [each.split()[0] for each in stand.toy.did] == ["kill", "restart"]
    assert not stand.toy.dead


def test_an_only_node_is_spared_and_loses_a_worker(tmp_path: Path) -> None:
    """Gunicorn replaces it, so there is nothing to start again."""
    stand = Stand(tmp_path, committing(tmp_path / "catalog.db"), nodes=1)
    stand.play()
    assert stand.toy.did == ["kill node-1/worker-1"]


def test_readers_who_never_hear_of_a_write_are_waited_for_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waiting has a bound, and says who is behind."""
    monkeypatch.setattr(plays, "SETTLE_S", 0.3)
    stand = Stand(tmp_path, forgetful(tmp_path / "catalog.db"))
    played = stand.play()
    assert played.unsettled is not None
    assert "answers are not the latest (edge, node-1/worker-1, node-2/worker-1)" in played.unsettled
    assert any(line.startswith("waiting for all to agree: ") for line in stand.told)


def test_a_database_without_the_products_is_said_at_once(tmp_path: Path) -> None:
    """Before anything is sent."""
    stand = Stand(tmp_path, committing(tmp_path / "catalog.db"), products=0)
    with pytest.raises(ClusterError, match="holds none of the products"):
        stand.play()
    assert len(stand.history) == 0


def test_what_did_not_come_to_rest_is_counted() -> None:
    """Both kinds, in one sentence."""
    behind = {("edge", 1), ("node-1/worker-1", 1), ("edge", 2)}
    assert plays.unsettled(missing=2, behind=behind, places=30) == (
        "2 acknowledged writes are not in the database and 3 of 30 answers are not the latest (edge, node-1/worker-1)"
    )
