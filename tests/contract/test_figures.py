"""A case in numbers that can be counted by hand, and what a share of a sample supports."""

from __future__ import annotations

from math import log10

import pytest

from cluster.contract.case import Case
from cluster.contract.figures import figures, quantile
from cluster.contract.promise import MS
from cluster.contract.share import nines, share
from tests.checker.notation import history

W1 = "via=node-1/worker-1"
TEXT = f"""
baseline x=1
s1 read x=1 0..4 layer=edge op=-
- read x=1 10..12 {W1} layer=l1 op=-
s2 write x=2 20..30
s1 read x=1 35..37 layer=edge op=-
- read x=2 40..48 {W1} layer=database
s2 read x=2 60..61 layer=l2 phase=fault
- read x=1 70..71 {W1} layer=l1 phase=heal op=-
s3 write x=3 80.. info error=status-504 phase=fault
- read x=2 900..901 {W1} phase=final
s1 read x=2 900..901 phase=final
audit x=2
audited
"""


def test_a_run_in_numbers() -> None:
    """Six reads and two writes of traffic; two stale ones, 5 and 40 ms late; hits of L1 and L2 are three of six."""
    found = figures(Case(history(TEXT)), unsent=4)
    assert (found.reads, found.writes, found.unknown_writes, found.unsent) == (6, 2, 1, 4)
    assert (found.answered.part, found.answered.whole, found.errors) == (7, 8, {"status-504": 1})
    assert (found.hits.part, found.hits.whole) == (3, 6)
    assert found.layers == {"edge": 2, "l1": 2, "database": 1, "l2": 1}
    assert (found.freshness["all"].stale.part, found.freshness["all"].worst_at_least_ns) == (2, 40 * MS)
    assert (found.freshness["edge"].stale.part, found.freshness["workers"].stale.part) == (1, 1)
    assert [found.freshness[part].stale.part for part in ("warm", "fault", "after")] == [1, 0, 1]
    assert found.freshness["all"].visible["0"] == 2
    assert found.freshness["all"].visible["50"] == 0
    assert (found.convergence_max_ns, found.permanently_stale, found.lost_writes) == (40 * MS, 0, 0)
    assert found.read_latency.max_ns == 8 * MS


def test_a_run_without_traffic_has_figures_too() -> None:
    """Ctrl-C in the first instant."""
    found = figures(Case(history("baseline x=1")))
    assert (found.operations, found.answered.value, found.convergence_p50_ns) == (0, None, None)
    assert found.freshness["all"].nines is None


def test_what_redis_itself_was_asked_is_no_answer_to_a_client() -> None:
    """A stale value in L2 at the end is in the history, and in no share of the answers, which it could exceed."""
    text = f"""
baseline x=1
s2 write x=2 20..30
- read x=2 40..48 {W1} layer=database
- read x=1 70..71 via=redis phase=heal op=-
- read x=1 72..73 via=redis phase=heal op=-
audit x=2
audited
"""
    found = figures(Case(history(text)))
    assert {part: each.stale.part for part, each in found.freshness.items() if each.stale.part} == {}


def test_wilson_brackets_the_share() -> None:
    """Of 10 in 100, by the formula: 5.5 % to 17.4 %; of none, no share at all; of nothing found, not nothing."""
    ten = share(10, 100)
    assert (round(ten.low or 0, 4), round(ten.high or 0, 4)) == (0.0552, 0.1744)
    assert (share(0, 0).value, share(0, 0).low) == (None, None)
    clean = share(0, 1000)
    assert (clean.low, round(clean.high or 0, 4)) == (0.0, 0.0038)


def test_nines_are_capped_by_the_sample() -> None:
    """No stale read in 3,000 supports three nines and not more; one in a thousand is three."""
    assert [(round(count or 0, 9), capped) for count, capped in (nines(0, 3000), nines(1, 1000))] == [
        (3.0, True),
        (3.0, False),
    ]
    assert nines(0, 0) == (None, False)
    assert nines(0, 2) == (0.0, True)
    assert nines(1, 7)[0] == pytest.approx(log10(7))


@pytest.mark.parametrize(
    ("part", "value"), [(0.0, 10), (0.25, 10), (0.26, 20), (0.5, 20), (0.75, 30), (0.99, 40), (1.0, 40)]
)
def test_a_quantile_is_one_of_the_values(part: float, value: int) -> None:
    """The smallest that at least this part does not exceed."""
    assert quantile([10, 20, 30, 40], part) == value
    assert quantile([], part) == 0
