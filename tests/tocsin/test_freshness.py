"""Per-call demands: for how long an answer may have been untrue, under each strategy, and what it never allows."""

from __future__ import annotations

import math

import pytest
from tocsin import Layer, Loaded, Policy, Strategy

from tests.tocsin.place import KEY, LEASE_S, NAMES, Node, Place
from tests.tocsin.town import Town, found, unexpected


def read(node: Node, max_stale: float | None, policy: Policy = Policy()) -> tuple[bytes | None, Layer]:  # noqa: B008
    """Read; the database has `new`."""
    answer = node.cache.read(KEY, found(b"new"), policy, max_stale=max_stale)
    return answer.value, answer.layer


def test_an_hour_old_entry_is_as_fresh_as_its_nodes_last_proof() -> None:
    """Under `sequenced` age says nothing: what counts is when the node last proved that it had heard everything."""
    place = Place()
    node = place.node(l1_ttl_s=7200.0)
    node.read(b"old", Policy(ttl_s=7200.0))
    place.clock.move(3600.0)
    node.prove()
    assert read(node, 0.3) == (b"old", Layer.L1)


def test_an_unheard_write_is_seen_by_whoever_demands_it() -> None:
    """The node is deaf for 0.5 s, within its lease: others get the old value, a demand of 0.3 s asks L2."""
    place = Place()
    node, other = place.node(), place.node()
    node.read(b"old")
    node.table.deaf = True
    place.clock.move(0.5)
    other.cache.invalidate(NAMES)
    assert read(node, None) == (b"old", Layer.L1)
    assert read(node, LEASE_S) == (b"old", Layer.L1)
    assert read(node, 0.3) == (b"new", Layer.DATABASE)


def test_a_demand_that_l1_can_not_meet_is_a_step_that_says_so() -> None:
    """0 is as of now: L2 is asked, whose answers are true as of the question; its entry is a hit."""
    node = Place().node()
    node.read(b"old")
    answer = node.cache.read(KEY, unexpected, max_stale=0)
    assert (answer.value, answer.layer) == (b"old", Layer.L2)
    assert answer.steps[-1].cause == "demand"


def test_a_read_with_a_demand_does_not_take_the_shortest_way() -> None:
    """`get_or_load` is as careful as `read`, also for an entry that was proved a moment ago."""
    place = Place()
    node, other = place.node(), place.node()
    rows = [b"old"]
    for _ in range(3):
        assert node.cache.get_or_load(KEY, lambda: Loaded(rows[-1])) == b"old"
    rows.append(b"new")
    node.table.deaf = True
    receipt = other.cache.invalidate(NAMES)
    assert node.cache.get_or_load(KEY, lambda: Loaded(rows[-1])) == b"old"
    assert node.cache.get_or_load(KEY, lambda: Loaded(rows[-1]), at_least=receipt.watermark) == b"new"
    rows.append(b"newer")
    other.cache.invalidate(NAMES)
    assert node.cache.get_or_load(KEY, lambda: Loaded(rows[-1]), max_stale=0) == b"newer"


@pytest.mark.parametrize("strategy", [Strategy.TTL, Strategy.PUBSUB, Strategy.VERSIONED, Strategy.L2_ONLY])
def test_where_nothing_is_proved_the_age_decides(strategy: Strategy) -> None:
    """A value loaded 5 s ago may have been untrue for 5 s, in L1 and in L2 alike."""
    town = Town()
    node = town.node(strategy, l1_ttl_s=60.0)
    node.cache.read("k", found(b"old"))
    town.clock.move(5.0)
    assert node.cache.read("k", unexpected, max_stale=6.0).value == b"old"
    answer = node.cache.read("k", found(b"new"), max_stale=4.0)
    assert (answer.value, answer.layer, answer.stored) == (b"new", Layer.DATABASE, True)
    assert node.cache.read("k", unexpected, max_stale=4.0).value == b"new"


def test_a_demand_never_shows_what_the_policy_would_not() -> None:
    """A generous `max_stale` revives nothing; a strict one hides what the policy would show."""
    place = Place()
    node = place.node()
    patient = Policy(l1_ttl_s=2.0, stale_s=10.0)
    node.read(b"old", patient)
    node.way.cut = True
    place.clock.move(5.0)
    assert read(node, 60.0) == (b"new", Layer.DATABASE), "the policy has no stale_s"
    assert read(node, 4.0, patient) == (b"new", Layer.DATABASE), "nobody has proved anything for 5 s"
    assert read(node, 6.0, patient) == (b"old", Layer.L1)


def test_a_policy_shows_no_older_expired_value_than_it_says_itself() -> None:
    """The value was kept by a patient policy; an impatient one, or a demand, does not inherit the patience."""
    place = Place()
    node = place.node()
    patient = Policy(ttl_s=1.0, l1_ttl_s=0.5, stale_s=30.0)
    node.read(b"old", patient)
    place.clock.move(6.0)
    place.server.lookup(KEY, "elsewhere")
    assert read(node, None, patient) == (b"old", Layer.L2)
    assert read(node, 3.0, patient)[1] is Layer.DATABASE
    assert read(node, None, Policy(ttl_s=1.0, stale_s=2.0))[1] is Layer.DATABASE


@pytest.mark.parametrize("seconds", [-1, math.nan])
def test_a_demand_that_can_not_be_meant_is_refused(seconds: float) -> None:
    """Before anything is asked."""
    with pytest.raises(ValueError, match="max_stale"):
        Place().node().cache.read(KEY, unexpected, max_stale=seconds)


def test_in_strict_a_cut_off_node_shows_nothing_stale() -> None:
    """Whatever its policy: a write may have been acknowledged that it could not hear of."""
    place = Place(Strategy.STRICT)
    node = place.node()
    patient = Policy(l1_ttl_s=2.0, stale_s=10.0)
    assert node.read(b"old", patient).stored
    node.way.cut = True
    place.clock.move(5.0)
    assert read(node, None, patient) == (b"new", Layer.DATABASE)
