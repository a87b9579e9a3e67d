"""Arrivals: fixed by profile and seed, at the asked rate, on the asked products."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice, pairwise
from random import Random
from typing import Any

import pytest

from cluster.errors import WrongInputError
from cluster.workload.arrival import Arrival, Wish, arrivals
from cluster.workload.profile import Profile
from cluster.workload.workloads import WORKLOADS, workload_named

PROFILE = Profile(products=tuple(range(1, 101)), rate_per_s=400)
WORKERS = ["node-1/worker-1", "node-2/worker-1"]


def some(profile: Profile = PROFILE, *, seed: int = 7, count: int = 20_000) -> list[Arrival]:
    return list(islice(arrivals(profile, WORKERS, Random(seed)), count))


def test_the_same_seed_gives_the_same_traffic() -> None:
    """And another seed another."""
    assert some(count=100) == some(count=100)
    assert some(count=100) != some(seed=8, count=100)


def test_arrivals_come_at_the_rate_and_independently() -> None:
    """20,000 at 400 a second take about 50 s; a third of the gaps is longer than the mean, as independence has it."""
    found = some()
    assert 48 < found[-1].at_s < 52
    gaps = [after.at_s - before.at_s for before, after in pairwise(found)]
    assert min(gaps) >= 0
    assert 0.35 < sum(gap > 1 / 400 for gap in gaps) / len(gaps) < 0.39


def test_popularity_is_zipfs() -> None:
    """The first product is asked for twice as often as the second and ten times as often as the tenth."""
    counts = Counter(each.product for each in some())
    assert 1.8 < counts[1] / counts[2] < 2.2
    assert 8 < counts[1] / counts[10] < 12
    assert set(counts) == set(PROFILE.products)


def test_an_exponent_of_zero_is_uniform() -> None:
    """Every product alike."""
    counts = Counter(each.product for each in some(replace(PROFILE, zipf_exponent=0)))
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_wishes_come_in_their_shares() -> None:
    """Each knob of the profile turns what it says."""
    found = some(replace(PROFILE, write_share=0.1, personal_share=0.2, direct_share=0.5))
    wishes = Counter(each.wish for each in found)
    assert 0.09 < wishes[Wish.CHANGE] / len(found) < 0.11
    assert 0.19 < wishes[Wish.PERSONAL] / len(found) < 0.21
    direct = Counter(each.worker for each in found if each.wish is Wish.PRODUCT)
    assert 0.48 < direct[""] / wishes[Wish.PRODUCT] < 0.52
    assert 0.9 < direct[WORKERS[0]] / direct[WORKERS[1]] < 1.1


def test_without_workers_everything_goes_through_the_edge() -> None:
    """A target whose workers can't be named is driven all the same."""
    assert {each.worker for each in islice(arrivals(PROFILE, [], Random(1)), 500)} == {""}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"products": ()}, "at least one product"),
        ({"rate_per_s": 0}, "rate_per_s must be above 0, not 0"),
        ({"sessions": -1}, "sessions must be above 0, not -1"),
        ({"write_share": 1.5}, "write_share must be between 0 and 1, not 1.5"),
        ({"write_share": 0.7, "personal_share": 0.7}, "more than everything"),
    ],
)
def test_traffic_that_cannot_be_is_refused(change: dict[str, Any], text: str) -> None:
    """The message names the knob and its value."""
    with pytest.raises(WrongInputError, match=text):
        replace(PROFILE, **change)


def test_bursts_are_seconds_of_many_writes() -> None:
    """Half a second of every two; in between as few as ever."""
    found = some(replace(PROFILE, write_share=0.05, burst_every_s=2.0, burst_for_s=0.5, burst_write_share=0.6))
    inside = [each.wish is Wish.CHANGE for each in found if each.at_s % 2 < 0.5]
    outside = [each.wish is Wish.CHANGE for each in found if each.at_s % 2 >= 0.5]
    assert 0.57 < sum(inside) / len(inside) < 0.63
    assert 0.04 < sum(outside) / len(outside) < 0.06


def test_a_crawler_walks_through_all_products_in_turn() -> None:
    """With nothing but crawling reads, each product in its order, again and again."""
    found = some(replace(PROFILE, write_share=0, personal_share=0, scan_share=1.0), count=250)
    assert [each.product for each in found] == [number % 100 + 1 for number in range(250)]


def test_lists_and_own_products_come_in_their_shares() -> None:
    """What is about one's own goes through the edge, where sessions are."""
    found = some(replace(PROFILE, list_share=0.4, own_share=0.3))
    reads = [each for each in found if each.wish in (Wish.PRODUCT, Wish.LISTED)]
    assert 0.38 < sum(each.wish is Wish.LISTED for each in reads) / len(reads) < 0.42
    assert 0.28 < sum(each.own for each in reads) / len(reads) < 0.32
    assert not [each for each in found if each.own and each.worker]


def test_every_workload_is_traffic_that_can_be() -> None:
    """Each has its rate from the scenario, and a line that says what it is about."""
    for workload in WORKLOADS.values():
        profile = workload.profile(50.0)
        assert profile.rate_per_s == 50
        assert len(some(profile, count=10)) == 10
        assert workload.summary
    with pytest.raises(WrongInputError, match="no workload is called 'dance'; there are register"):
        workload_named("dance")


def test_some_writes_go_to_single_workers() -> None:
    """As many of them as of the reads; else nobody could write while the edge is down, and that cell proved nothing."""
    writes = [each for each in some() if each.wish is Wish.CHANGE]
    direct = Counter(each.worker for each in writes if each.worker)
    assert 0.2 < sum(direct.values()) / len(writes) < 0.3
    assert set(direct) == set(WORKERS)
