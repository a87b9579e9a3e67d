"""Naming what a verb is aimed at; and drawing it, with a seed."""

from __future__ import annotations

from random import Random

import msgspec
import pytest

from cluster.errors import ClusterError, WrongInputError
from cluster.status import State
from cluster.target import Kind, Target, Verb, draw, parse_target
from tests.cluster.cluster_status import STATUS, with_states


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("node-2", Target(Kind.NODE, "node-2", "node-2")),
        ("node-2/worker-1", Target(Kind.WORKER, "node-2/worker-1", "node-2", 1)),
        ("redis", Target(Kind.REDIS, "redis")),
        ("edge", Target(Kind.EDGE, "edge")),
        ("flusher", Target(Kind.FLUSHER, "flusher")),
        ("links", Target(Kind.LINKS, "links")),
    ],
)
def test_everything_that_runs_can_be_named(text: str, target: Target) -> None:
    """Exactly as `status` names it."""
    assert parse_target(text, STATUS) == target


@pytest.mark.parametrize("wrong", ["node-9", "node-1/worker-3", "Node-1", "database", ""])
def test_a_wrong_name_is_answered_with_the_right_ones(wrong: str) -> None:
    """All of them, in the order of `status`; exit code 254."""
    with pytest.raises(WrongInputError) as refused:
        parse_target(wrong, STATUS)
    assert str(refused.value) == (
        f"nothing here is called {wrong!r}; there are node-1, node-1/worker-1, node-1/worker-2, "
        "node-2, node-2/worker-1, node-2/worker-2, redis, edge, flusher, links, random"
    )
    assert refused.value.exit_code == 254


def test_a_cluster_without_links_has_no_target_of_that_name() -> None:
    """Under compose, or with --direct."""
    direct = msgspec.structs.replace(STATUS, link_server=None, links=None)
    with pytest.raises(WrongInputError, match="flusher, random"):
        parse_target("links", direct)


def test_the_same_seed_draws_the_same_name() -> None:
    """And over many seeds each node is drawn."""
    drawn = [draw(Verb.KILL, STATUS, Random(seed)).name for seed in range(40)]
    assert drawn == [draw(Verb.KILL, STATUS, Random(seed)).name for seed in range(40)]
    assert set(drawn) == {"node-1", "node-2"}


def test_random_is_something_that_the_verb_can_do() -> None:
    """Kill what lives, resume what is paused, restart what is dead, cut what is not cut."""
    status = with_states(node_1=State.DEAD, redis=State.PAUSED)
    for seed in range(10):
        assert draw(Verb.KILL, status, Random(seed)).name == "node-2"
        assert draw(Verb.RESUME, status, Random(seed)).name == "redis"
        assert draw(Verb.RESTART, status, Random(seed)).name == "node-1"
    cut = msgspec.structs.replace(STATUS, cut=("node-2→redis",))
    assert {draw(Verb.PARTITION, cut, Random(seed)).name for seed in range(10)} == {"node-1"}
    assert {draw(Verb.RESTART, STATUS, Random(seed)).name for seed in range(40)} == {"node-1", "node-2"}


@pytest.mark.parametrize(
    ("verb", "said"),
    [(Verb.KILL, "no node runs"), (Verb.RESUME, "nothing is paused"), (Verb.PARTITION, "every node is cut already")],
)
def test_when_there_is_nothing_to_draw_it_says_why(verb: Verb, said: str) -> None:
    """A verb without a possible target is not done, which is exit code 1."""
    with pytest.raises(ClusterError, match=said):
        draw(verb, with_states(node_1=State.DEAD, node_2=State.DEAD), Random(1))
