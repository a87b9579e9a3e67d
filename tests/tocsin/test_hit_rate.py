"""Hit rate: what it is worth, and where to look."""

from __future__ import annotations

import pytest
from tocsin.entry import CAUSES
from tocsin.hit_rate import ADVICE, Grade, HitRate


@pytest.mark.parametrize(
    ("l1", "l2", "grade"),
    [
        (95, 0, Grade.EXCELLENT),
        (50, 45, Grade.EXCELLENT),
        (94, 0, Grade.FAIR),
        (0, 80, Grade.FAIR),
        (79, 0, Grade.POOR),
        (0, 0, Grade.POOR),
    ],
)
def test_a_rate_has_a_grade(l1: int, l2: int, grade: Grade) -> None:
    """Of a hundred reads: from 95 on excellent, from 80 on worth a look, below that worth an investigation."""
    assert HitRate(100, l1, l2, {}).grade is grade


def test_without_reads_there_is_no_grade() -> None:
    """Nothing is neither good nor bad."""
    rate = HitRate(0, 0, 0, {})
    assert (rate.ratio, rate.grade, rate.advice(), rate.described()) == (None, None, "", "no reads yet")


def test_the_advice_goes_by_what_cost_the_database_a_query() -> None:
    """The cause of most of L2's misses; L1's alone cost a trip to Redis."""
    rate = HitRate(200, 100, 40, {("l1", "expired"): 100, ("l2", "cold"): 45, ("l2", "writing"): 15})
    assert rate.described() == (
        "70.0% of 200 reads (L1 50.0%, L2 20.0%): investigate; 75% of L2's misses are 'cold': keys are asked for the"
        " first time: do keys hold what varies for no reason (a timestamp, a random id)?"
    )
    assert HitRate(100, 99, 0, {("l2", "cold"): 1}).advice() == ""


def test_every_cause_has_its_advice() -> None:
    """Also one that is added tomorrow."""
    assert ADVICE.keys() == CAUSES
