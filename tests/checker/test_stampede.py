"""Stampede: how many reads load one version of one key at once."""

from __future__ import annotations

from random import Random

import pytest

from cluster.checker.stampede import Stampedes, stampede
from cluster.checker.verdict import Decision
from cluster.history.operation import Kind, Layer
from tests.checker.notation import Op, history, history_of
from tests.checker.oracle import at_once

CROWD = "\n".join(f"- read x=1 {begin}..{begin + 5} layer=database" for begin in (0, 2, 4, 5, 20))


def verdict(text: str, loads_max: int | None = None) -> Stampedes:
    return stampede(history(text), loads_max=loads_max)


@pytest.mark.parametrize(("loads_max", "decision"), [(3, Decision.INVALID), (4, Decision.VALID)])
def test_reads_that_load_at_once_are_a_crowd(loads_max: int, decision: Decision) -> None:
    """0..5, 2..7, 4..9 and 5..10 share the instant 5; 20..25 came alone."""
    found = verdict(CROWD, loads_max)
    assert (found.decision, found.loads, found.largest) == (decision, 5, 4)


def test_the_witness_names_the_crowd() -> None:
    """How many, for what, from when."""
    assert verdict(CROWD, 1).witness() == (
        "4 reads at once say that they loaded version 1 of x from the database, from 0.000 s on (#1)"
    )


def test_other_versions_and_other_layers_are_no_crowd() -> None:
    """A load of the next version is needed; an answer from a cache is no load."""
    text = "- read x=1 0..9 layer=database\n- read x=2 0..9 layer=database\n- read x=1 0..9 layer=l1"
    assert verdict(text, 1).decision is Decision.VALID


def test_without_loads_nothing_is_known() -> None:
    """If no answer says that it was loaded, there is nothing to count."""
    assert verdict("- read x=1 0..9 layer=l1", 1).decision is Decision.UNKNOWN


def test_the_largest_crowd_is_that_of_the_worst_instant() -> None:
    """Against a look at every instant, on random reads."""
    chance = Random(5)
    for _ in range(300):
        reads = []
        for _ in range(chance.randint(1, 8)):
            begin = chance.randint(0, 12)
            end = begin + chance.randint(0, 4)
            reads.append(Op(kind=Kind.READ, version=1, invoked=begin, returned=end, layer=Layer.DATABASE))
        assert stampede(history_of(reads)).largest == at_once(reads)
