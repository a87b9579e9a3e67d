"""Target specs: how many of those that can be hit are hit, and which."""

from __future__ import annotations

from random import Random

import pytest

from cluster.errors import WrongInputError
from cluster.fault.port import choose

NODES = ("node-1", "node-2", "node-3", "node-4", "node-5")


@pytest.mark.parametrize(("spec", "count"), [("one", 1), ("minority", 2), ("majority", 3), ("all", 5)])
def test_a_spec_says_how_many(spec: str, count: int) -> None:
    """Of five: one, two, three, five; in the order of the cluster, none twice."""
    chosen = choose(spec, NODES, Random(3))
    assert len(set(chosen)) == count
    assert list(chosen) == sorted(chosen)


def test_of_two_a_minority_is_one_and_a_majority_both() -> None:
    """Nothing smaller than one can be hit, and half is no majority."""
    assert len(choose("minority", NODES[:2], Random(1))) == 1
    assert len(choose("majority", NODES[:2], Random(1))) == 2


def test_the_seed_decides_which() -> None:
    """The same seed chooses the same; over seeds everybody is chosen."""
    assert choose("one", NODES, Random(7)) == choose("one", NODES, Random(7))
    assert {choose("one", NODES, Random(seed))[0] for seed in range(60)} == set(NODES)


def test_a_name_is_itself_and_a_wrong_one_is_answered_with_the_right_ones() -> None:
    """`node-2`, or several joined by `+`."""
    assert choose("node-4+node-2", NODES, Random(1)) == ("node-2", "node-4")
    with pytest.raises(WrongInputError, match="no target is called node-9; there are one, minority, majority, all"):
        choose("node-9", NODES, Random(1))
    with pytest.raises(WrongInputError, match="nothing here"):
        choose("one", (), Random(1))
