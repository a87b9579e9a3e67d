"""Every fault on a real cluster of plain processes: it takes effect, it is undone, and nothing of it is left."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from cluster.errors import WrongInputError
from cluster.fault.catalogue import FAULTS, fault_named
from cluster.fault.port import Cluster
from cluster.lifecycle import running_cluster
from tests.cluster.live_cluster import LiveCluster
from tests.fault.suite import holds, stir

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

NETWORKED = {"partition-database", "database-down"}
SILENCING = ("partition", "partition-refuse", "partition-reset", "partition-close", "partition-deaf", "partition-mute")
MESSAGES = ("drop-messages", "duplicate-messages", "delay-messages", "reorder-messages")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes of one worker, on SQLite."""
    live = LiveCluster(tmp_path_factory.mktemp("faults") / "runs")
    live.do("up", "--nodes", "2", "--workers", "1", "--port", "0", "--failpoints", "--trace")
    try:
        run, launcher = running_cluster(live.runs)
        yield Cluster(run, launcher)
    finally:
        live.do("down")


@pytest.fixture(scope="module")
def silent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The same without a cache: nobody has anything to say to Redis."""
    live = LiveCluster(tmp_path_factory.mktemp("silent") / "runs")
    live.do("up", "--nodes", "2", "--workers", "1", "--port", "0", "--strategy", "no-cache")
    try:
        run, launcher = running_cluster(live.runs)
        yield Cluster(run, launcher)
    finally:
        live.do("down")


@pytest.mark.parametrize("name", [name for name in FAULTS if name not in NETWORKED])
def test_a_fault_takes_effect_and_is_undone(cluster: Cluster, name: str) -> None:
    """Its evidence comes from outside the fault; its heal may be repeated, and leaves a healthy cluster."""
    holds(cluster, name)


@pytest.mark.parametrize("name", sorted(NETWORKED))
def test_what_can_not_be_injected_is_refused_with_its_reason(cluster: Cluster, name: str) -> None:
    """SQLite is a file: no network to it can be cut, and no cell may pass as if it had been."""
    assert "SQLite" in (fault_named(name).refusal(cluster) or "")


@pytest.mark.parametrize("name", [*SILENCING, "latency", "bandwidth"])
def test_a_path_on_which_nobody_speaks_is_proved_cut_by_a_word_of_the_probe(silent: Cluster, name: str) -> None:
    """Otherwise a strategy that needs no Redis could never be said to have lived through its loss."""
    fault = fault_named(name)
    plan = fault.plan(silent, "node-1", {}, Random(1))
    assert not fault.evidence(silent, plan).took, "the path is whole, and the probe's word comes back"
    try:
        fault.start(silent, plan)
        evidence = fault.evidence(silent, plan)
        assert evidence.took, evidence.text
    finally:
        fault.heal(silent, plan)
    again = fault.plan(silent, "node-1", {}, Random(1))
    assert not fault.evidence(silent, again).took


@pytest.mark.parametrize("name", MESSAGES)
def test_where_nobody_listens_no_message_can_be_touched(silent: Cluster, cluster: Cluster, name: str) -> None:
    """Such a cell is skipped with that reason, and neither unknown nor, worse, valid."""
    assert "no node listens" in (fault_named(name).refusal(silent) or "")
    assert fault_named(name).refusal(cluster) is None


def test_a_heal_is_right_when_its_target_died_meanwhile(cluster: Cluster) -> None:
    """A node that was paused and then killed is started again."""
    fault = fault_named("pause-node")
    plan = fault.plan(cluster, "node-2", {}, Random(1))
    fault.start(cluster, plan)
    fault_named("kill-node").start(cluster, plan)
    fault.heal(cluster, plan)
    assert [node.state for node in cluster.status().nodes] == ["running", "running"]


def test_a_heal_mends_nothing_but_its_own(cluster: Cluster) -> None:
    """Node 1 stays cut off when node 2 is healed."""
    fault = fault_named("partition")
    first, second = (fault.plan(cluster, name, {}, Random(1)) for name in ("node-1", "node-2"))
    try:
        fault.start(cluster, first)
        fault.start(cluster, second)
        fault.heal(cluster, second)
        assert cluster.status().cut == ("node-1→redis",)
    finally:
        fault.heal(cluster, first)


def test_dropped_messages_are_those_of_the_key(cluster: Cluster) -> None:
    """The evidence names what was dropped; other keys are left alone."""
    fault = fault_named("drop-messages")
    plan = fault.plan(cluster, "node-2", {"keys": "product:2"}, Random(1))
    try:
        fault.start(cluster, plan)
        for _ in range(3):
            stir(cluster)
        evidence = fault.evidence(cluster, plan)
    finally:
        fault.heal(cluster, plan)
    assert evidence.took
    assert "product:2" in evidence.text


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"worms": 1}, "has no parameter worms; it has keys, probability, seed"),
        ({"probability": "often"}, "something like 1.0"),
    ],
)
def test_a_wrong_parameter_is_refused(cluster: Cluster, parameters: dict[str, int | str], says: str) -> None:
    """By name and by type, before anything is touched."""
    with pytest.raises(WrongInputError, match=says):
        fault_named("drop-messages").plan(cluster, "one", parameters, Random(1))


def test_the_same_seed_plans_the_same(cluster: Cluster) -> None:
    """Targets and the faults' own seeds come from the chance that is given."""
    fault = fault_named("drop-messages")
    plans = [fault.plan(cluster, "one", {}, Random(11)) for _ in range(2)]
    assert plans[0].targets == plans[1].targets
    assert plans[0].parameters == plans[1].parameters
