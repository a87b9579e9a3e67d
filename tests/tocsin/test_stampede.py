"""Early refreshes: when an entry is due, who refreshes it, and what its readers are given."""

from __future__ import annotations

import math

import pytest
from tocsin import Layer, Loaded, Names, Policy, Stampede
from tocsin.background import Work
from tocsin.observer import LoadOutcome, Spared

from tests.tocsin.place import KEY, Place
from tests.tocsin.town import during, found, unexpected

HOUR = Policy(ttl_s=100.0)


@pytest.mark.parametrize(
    ("now_s", "delta_s", "beta", "rand"),
    [
        *[(99.5, 1.0, 1.0, rand) for rand in (1.0, 0.7, 0.6066, 0.6065, 0.3, 0.001)],
        *[(90.0, 2.0, beta, 0.01) for beta in (0.5, 1.0, 1.1, 2.0)],
        (0.0, 0.0, 1.0, 0.5),
        (99.999, 0.0, 1.0, 1e-9),
    ],
)
def test_xfetch_refreshes_when_its_formula_says_so(now_s: float, delta_s: float, beta: float, rand: float) -> None:
    """Vattani et al., VLDB 2015: now − δ·β·ln(rand) ≥ expiry; expiry is 100 here."""
    expiry_s = 100.0
    early_s = Stampede.XFETCH.early_s(Policy(beta=beta), 100.0, delta_s, rand)
    assert (expiry_s - now_s <= early_s) == (now_s - delta_s * beta * math.log(rand) >= expiry_s)
    assert early_s >= 0, "the sign: a logarithm of a chance is never above 0, and early is never late"


def test_xfetch_refreshes_earlier_the_longer_a_load_takes() -> None:
    """A mean of δ·β before the end: an entry that loads in 2 s is refreshed 2 s before, on average over all chances."""
    draws = [(each + 0.5) / 10_000 for each in range(10_000)]
    mean = sum(Stampede.XFETCH.early_s(HOUR, 100.0, 2.0, draw) for draw in draws) / len(draws)
    assert mean == pytest.approx(2.0, rel=0.01)


@pytest.mark.parametrize(
    ("ttl_s", "load_s", "share", "early_s"),
    [(100.0, 0.1, 0.2, 20.0), (100.0, 15.0, 0.2, 30.0), (100.0, 90.0, 0.2, 50.0), (1.0, 0.0, 0.1, 0.1)],
)
def test_refresh_ahead_begins_a_share_before_the_end(ttl_s: float, load_s: float, share: float, early_s: float) -> None:
    """At least two load times before, so that the new value is there in time; never in the first half of a life."""
    assert Stampede.REFRESH_AHEAD.early_s(Policy(early_share=share), ttl_s, load_s, 0.5) == pytest.approx(early_s)


def test_other_protections_and_dirty_values_are_never_early() -> None:
    """A write-behind value has no end before which it could be refreshed."""
    for stampede in Stampede:
        assert stampede.early_s(HOUR, math.inf, 1.0, 0.5) == 0.0
        if stampede not in (Stampede.XFETCH, Stampede.REFRESH_AHEAD):
            assert stampede.early_s(HOUR, 100.0, 1.0, 0.5) == 0.0


def test_l1_ends_in_time_for_its_reader_to_find_the_entry_due() -> None:
    """However long L1 might keep it: a worker that is asked often never meets the end of the entry."""
    place = Place()
    node = place.node()
    policy = Policy(ttl_s=100.0, l1_ttl_s=100.0)
    node.read(b"old", policy)
    place.clock.move(74.0)
    node.prove()
    assert node.read(b"new", policy).layer is Layer.L1
    place.clock.move(6.0)
    assert node.read(b"new", policy).value == b"new"


def test_the_refreshed_value_is_in_l1_and_l2_with_a_whole_life() -> None:
    """The next reads are hits, here and elsewhere."""
    place = Place()
    here, there = place.node(), place.node()
    here.read(b"old", HOUR)
    place.clock.move(81.0)
    answer = here.read(b"new", HOUR)
    assert (answer.value, answer.layer, answer.stored) == (b"new", Layer.DATABASE, True)
    here.prove()
    assert here.cache.read(KEY, unexpected, HOUR).layer is Layer.L1
    answer = there.cache.read(KEY, unexpected, HOUR)
    assert (answer.value, answer.layer) == (b"new", Layer.L2)
    assert answer.steps[0].ttl_s == pytest.approx(100.0, abs=5)


def test_an_invalidated_value_is_not_refreshed_but_loaded() -> None:
    """Due or not: what was invalidated is given to nobody, and what a refresh loaded before is kept nowhere."""
    place = Place()
    here, there = place.node(), place.node()
    here.read(b"old", HOUR)
    place.clock.move(81.0)
    load = during(found(b"old"), lambda: there.cache.invalidate(Names(keys=(KEY,))))
    assert here.cache.read(KEY, load, HOUR).stored is False
    for node in (here, there):
        assert node.read(b"new", HOUR).value == b"new"


def test_a_refresh_is_told_as_a_load_and_the_old_value_as_a_load_spared() -> None:
    """Whoever watches can tell how many stampedes were avoided."""
    place = Place()
    here, there = place.node(), place.node()
    here.read(b"old", HOUR)
    place.clock.move(81.0)
    here.cache.read(KEY, during(found(b"new"), lambda: there.read(b"wrong", HOUR)), HOUR)
    assert [outcome for _, _, outcome in here.witness.loads] == [LoadOutcome.LOADED] * 2
    assert there.witness.loads == []
    assert there.witness.sparings == [Spared.OLD]


class Held:
    """A background whose works wait until a test lets them go."""

    def __init__(self) -> None:
        self.works: dict[str, Work] = {}

    def submit(self, name: str, work: Work) -> bool:
        return self.works.setdefault(name, work) is work

    def renew(self) -> None:
        self.works.clear()

    def stop(self, within_s: float) -> None:
        self.works.clear()

    def run(self) -> None:
        for name in list(self.works):
            self.works.pop(name)()


def test_in_the_background_no_reader_waits_for_the_refresh() -> None:
    """The reader that finds the entry due is given the old value, as all others; later reads have the new one."""
    place = Place()
    held = Held()
    node = place.node(background=held)
    node.read(b"old", HOUR)
    place.clock.move(81.0)
    assert [node.read(b"new", HOUR).value for _ in range(3)] == [b"old"] * 3
    assert len(held.works) == 1
    held.run()
    assert node.cache.read(KEY, unexpected, HOUR).value == b"new"


def test_a_refresh_that_comes_too_late_loads_nothing() -> None:
    """It waited for a thread; meanwhile another node refreshed: it takes that value, and the loader is not asked."""
    place = Place()
    held = Held()
    here, there = place.node(background=held), place.node()
    here.read(b"old", HOUR)
    place.clock.move(81.0)
    here.read(b"wrong", HOUR)
    assert there.read(b"new", HOUR).value == b"new"
    held.run()
    assert here.cache.read(KEY, unexpected, HOUR).value == b"new"


def test_a_loader_that_belongs_to_its_thread_is_never_run_on_another() -> None:
    """`thread_bound`: the reader refreshes itself, whatever the settings say."""
    place = Place()
    held = Held()
    node = place.node(background=held)
    policy = Policy(ttl_s=100.0, thread_bound=True)
    node.read(b"old", policy)
    place.clock.move(81.0)
    assert node.read(b"new", policy).value == b"new"
    assert not held.works


def test_who_finds_redis_away_in_a_refresh_is_given_the_old_value() -> None:
    """It is good still; nothing is raised, and nothing is loaded without a token."""
    place = Place()
    node = place.node()
    node.read(b"old", HOUR)
    place.clock.move(81.0)
    lookup = node.way.sequencer.lookup

    def cut_before_the_second(key: str, owner: str, early_s: float = 0.0) -> object:
        reply = lookup(key, owner, early_s)
        node.way.cut = True
        return reply

    node.way.sequencer.lookup = cut_before_the_second  # type: ignore[method-assign,assignment]
    assert node.cache.read(KEY, unexpected, HOUR).value == b"old"


def test_a_loader_that_raises_gives_its_token_back() -> None:
    """The next read loads at once, instead of waiting for a fill that never comes."""
    place = Place()
    here, there = place.node(), place.node()

    def failing() -> Loaded:
        raise LookupError("no such table")

    with pytest.raises(LookupError):
        here.cache.read(KEY, failing)
    before_s = place.clock.now()
    assert there.read(b"new").stored
    assert place.clock.now() == before_s
