"""The read path: who answers, what is kept where and for how long, and what a read says about its way."""

from __future__ import annotations

import pytest
from tocsin import Layer, Loaded, Names, Policy, Step, Strategy, WritePath

from tests.tocsin.town import Town, during, found, unexpected, write


def test_the_steps_tell_the_way_of_a_read_nearest_the_database_first() -> None:
    """A cold read passes both levels; then L1 answers; another node's first read is answered by L2."""
    town = Town()
    here, there = town.node(), town.node()
    assert here.cache.read("k", found(b"v")).steps == (
        Step(Layer.L2, False, "uri-miss", ttl_s=30.0),
        Step(Layer.L1, False, "uri-miss"),
    )
    assert here.cache.read("k", unexpected).steps == (Step(Layer.L1, True, ttl_s=2.0),)
    assert there.cache.read("k", unexpected).steps == (
        Step(Layer.L2, True, ttl_s=30.0),
        Step(Layer.L1, False, "uri-miss"),
    )


def test_l1_counts_its_time_to_live_from_before_the_lookup() -> None:
    """A slow load does not lengthen an entry's life in L1: it ends 2 s after the read began (hazard 14)."""
    town = Town()
    node = town.node(l1_ttl_s=2.0)
    node.cache.read("k", during(found(b"v"), lambda: town.clock.move(1.5)))
    town.clock.move(0.4)
    assert node.cache.read("k", unexpected).layer is Layer.L1
    town.clock.move(0.1)
    answer = node.cache.read("k", unexpected)
    assert answer.layer is Layer.L2
    assert answer.steps[1] == Step(Layer.L1, False, "stale", detail="expired")


def test_l1_does_not_outlive_the_entry_that_it_copies() -> None:
    """An entry with one second left in L2 has one second in L1, whatever L1's own time to live is (hazard 14)."""
    town = Town()
    here, there = (town.node(l1_ttl_s=10.0, l2_ttl_s=5.0) for _ in range(2))
    here.cache.read("k", found(b"v"))
    town.clock.move(4.0)
    assert there.cache.read("k", unexpected).layer is Layer.L2
    (step,) = there.cache.read("k", unexpected).steps
    assert step.ttl_s == pytest.approx(1.0)
    town.clock.move(1.0)
    assert there.cache.read("k", found(b"w")).layer is Layer.DATABASE


def test_a_policy_shortens_and_lengthens_what_the_settings_say() -> None:
    """Times of the policy go before those of the settings, in both levels."""
    town = Town()
    node = town.node(l1_ttl_s=2.0, l2_ttl_s=30.0)
    policy = Policy(ttl_s=100.0, l1_ttl_s=50.0)
    assert node.cache.read("k", found(b"v"), policy).steps[0].ttl_s == 100.0
    assert node.cache.read("k", unexpected, policy).steps[0].ttl_s == 50.0


def test_a_negative_answer_lives_as_long_as_its_policy_says() -> None:
    """That a key is not there ends after `negative_ttl_s`, in both levels."""
    town = Town()
    node = town.node()
    policy = Policy(negative_ttl_s=1.0)
    answer = node.cache.read("k", found(None, 0), policy)
    assert (answer.negative, answer.steps[0].ttl_s) == (True, 1.0)
    assert node.cache.read("k", unexpected, policy).negative
    town.clock.move(1.0)
    assert node.cache.read("k", found(b"v"), policy).value == b"v"


def test_an_answer_has_the_age_of_its_load() -> None:
    """Age counts from the load, through L2 and L1, on every node."""
    town = Town()
    here, there = town.node(), town.node()
    assert here.cache.read("k", found(b"v")).age_s == 0.0
    town.clock.move(1.0)
    assert here.cache.read("k", unexpected).age_s == pytest.approx(1.0)
    assert there.cache.read("k", unexpected).age_s == pytest.approx(1.0)
    town.clock.move(0.5)
    assert there.cache.read("k", unexpected).age_s == pytest.approx(1.5)


def test_what_the_loader_raises_reaches_the_caller_and_nothing_is_kept() -> None:
    """An error is not an answer: the next read asks the database again."""
    town = Town()
    node = town.node()

    def failing() -> Loaded:
        raise ConnectionRefusedError("database away")

    with pytest.raises(ConnectionRefusedError, match="database away"):
        node.cache.read("k", failing)
    assert node.cache.read("k", found(b"v")).value == b"v"


def test_a_key_that_cannot_be_one_is_refused() -> None:
    """A newline in a key would be a newline in Redis's bookkeeping."""
    with pytest.raises(ValueError, match="printable"):
        Town().node().cache.read("a\nb", found(b"v"))


def test_redis_out_of_reach_is_a_step_and_not_an_error() -> None:
    """The loader answers; L2 is passed with the reason; L1 of a strategy that trusts the clock is used on."""
    town = Town()
    node = town.node(Strategy.TTL)
    node.shared.cut = True
    answer = node.cache.read("k", found(b"v"))
    assert (answer.value, answer.layer, answer.stored) == (b"v", Layer.DATABASE, False)
    assert answer.steps[0] == Step(Layer.L2, False, "bypass", detail="redis-unreachable")
    assert node.cache.read("k", unexpected).layer is Layer.L1


def test_a_fill_that_gets_lost_is_said() -> None:
    """L2 answered the lookup and not the fill: the value is returned, and was not stored."""
    town = Town()
    node = town.node(Strategy.L2_ONLY)
    answer = node.cache.read("k", during(found(b"v"), lambda: setattr(node.shared, "cut", True)))
    assert (answer.value, answer.stored) == (b"v", False)
    assert answer.steps == (Step(Layer.L2, False, "uri-miss", detail="redis-unreachable"),)


@pytest.mark.parametrize(
    ("strategy", "policy"),
    [(Strategy.VERSIONED, Policy()), (Strategy.PUBSUB, Policy(versioned_by="products"))],
)
def test_with_a_version_unknown_neither_level_is_used(strategy: Strategy, policy: Policy) -> None:
    """A versioned key needs its version, and only Redis has it: missing evidence is a miss."""
    town = Town()
    node = town.node(strategy)
    node.cache.read("k", found(b"old"), policy)
    node.shared.cut = True
    answer = node.cache.read("k", found(b"new"), policy)
    assert answer.value == b"new"
    assert answer.steps == tuple(
        Step(layer, False, "bypass", detail="redis-unreachable") for layer in (Layer.L2, Layer.L1)
    )
    node.shared.cut = False
    assert node.cache.read("k", unexpected, policy).value == b"old"


def test_under_write_behind_nothing_is_kept_that_was_loaded_without_asking_for_dirty_values() -> None:
    """The database may be behind; only L2 knows. So with L2 away L1 takes nothing, and agrees again at once."""
    town = Town()
    node = town.node(Strategy.PUBSUB, WritePath.WRITE_BEHIND)
    node.shared.cut = True
    assert node.cache.read("k", found(b"behind")).value == b"behind"
    node.shared.cut = False
    assert node.cache.read("k", found(b"now")).value == b"now"


def test_a_version_that_rose_makes_l1_stale() -> None:
    """The step says what happened: the entry is there, and is of an older version."""
    town = Town()
    node = town.node(Strategy.VERSIONED)
    node.cache.read("k", found(b"old"))
    write(town.node(Strategy.VERSIONED), "k")
    answer = node.cache.read("k", found(b"new", 2))
    assert answer.value == b"new"
    assert answer.steps[1] == Step(Layer.L1, False, "stale", detail="version")


def test_every_read_is_observed() -> None:
    """The observer sees the answers that the callers see."""
    town = Town()
    node = town.node()
    answers = [node.cache.read("k", found(b"v")) for _ in range(2)]
    assert node.witness.answers == answers


def test_names_of_an_invalidation_are_observed_with_their_source() -> None:
    """A write, a relay and an outside writer are told apart."""
    node = Town().node(Strategy.L2_ONLY)
    names = Names(keys=("k",))
    write(node, "k")
    node.cache.finish_again(names)
    node.cache.invalidate(names)
    assert node.witness.invalidations == [(names, "write"), (names, "relay"), (names, "call")]
