"""Loading: permits, breakers, and what a reader is told or shown when its loader is not called."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from tocsin import CacheSettings, Layer, Loaded, LoadRefused, Policy, Strategy
from tocsin.loading import Loading
from tocsin.observer import LoadOutcome
from tocsin.permits import Permits

from tests.tocsin.moved_clock import MovedClock
from tests.tocsin.place import KEY, NAMES, Place
from tests.tocsin.town import Witness
from tests.until import until


class DatabaseDownError(Exception):
    """What a driver raises that knows no OSError."""


class Desk:
    """A `Loading` on a moved clock, and its witness."""

    def __init__(self, **settings: Any) -> None:
        self.clock = MovedClock()
        self.witness = Witness()
        chosen = CacheSettings(redis_url="redis://unused", node="n", **settings)
        self.loading = Loading(settings=chosen, clock=self.clock, observer=self.witness, trouble=(DatabaseDownError,))

    def fails(self, error: Exception, source: str = "database") -> None:
        def load() -> Loaded:
            raise error

        with pytest.raises(type(error)):
            self.loading.run(load, source)

    def outcomes(self) -> list[LoadOutcome]:
        return [outcome for _, _, outcome in self.witness.loads]


def test_a_load_is_measured() -> None:
    """How long it took is XFetch's δ, and stands in what it found."""
    desk = Desk()

    def load() -> Loaded:
        desk.clock.move(0.25)
        return Loaded(b"v")

    assert desk.loading.run(load, "database") == Loaded(b"v", load_s=0.25)
    assert desk.witness.loads == [("database", 0.25, LoadOutcome.LOADED)]


def test_no_more_loads_than_permits_are_under_way() -> None:
    """Eight threads, two permits: never more than two loads at once, and all eight are done."""
    desk = Desk(loads_max=2, load_wait_s=30.0)
    inside, most, lock = [0], [0], threading.Lock()
    both = threading.Barrier(2)

    def load() -> Loaded:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        both.wait(10.0)  # for the other of the two: none of these loads can end alone
        with lock:
            inside[0] -= 1
        return Loaded(b"v")

    done: list[Loaded] = []
    threads = [threading.Thread(target=lambda: done.append(desk.loading.run(load, "database"))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert (len(done), most[0]) == (8, 2)


def test_who_waits_too_long_for_a_permit_is_told_so() -> None:
    """The error names the settings; the loader was not called."""
    desk = Desk(loads_max=1, load_wait_s=0.01)
    refused: list[LoadRefused] = []

    def load() -> Loaded:
        other = threading.Thread(target=second)
        other.start()
        other.join(10.0)
        return Loaded(b"v")

    def second() -> None:
        with pytest.raises(LoadRefused, match=r"loads_max.*load_wait_s") as caught:
            desk.loading.run(lambda: pytest.fail("the loader was called"), "database")
        refused.append(caught.value)

    desk.loading.run(load, "database")
    assert [error.detail for error in refused] == ["source-crowded"]
    assert desk.outcomes() == [LoadOutcome.CROWDED, LoadOutcome.LOADED]


def test_a_load_within_a_load_needs_no_second_permit() -> None:
    """A loader that reads the cache itself: with the last permit in its own hand it would wait for itself."""
    desk = Desk(loads_max=1, load_wait_s=0.01)
    inner: Callable[[], Loaded] = lambda: desk.loading.run(lambda: Loaded(b"inner"), "database")  # noqa: E731
    assert desk.loading.run(inner, "database").value == b"inner"
    assert desk.loading.run(inner, "database").value == b"inner", "and the permit came back"


def test_sources_do_not_wait_for_each_other() -> None:
    """A slow service that is cached beside the database takes none of its permits, and breaks nothing of it."""
    desk = Desk(loads_max=1, load_wait_s=0.01, load_failures_max=1)
    desk.fails(ConnectionRefusedError("rates away"), "rates")
    assert desk.loading.run(lambda: desk.loading.run(lambda: Loaded(b"v"), "database"), "mail").value == b"v"


@pytest.mark.parametrize("error", [ConnectionRefusedError("away"), TimeoutError("late"), DatabaseDownError("away")])
def test_a_source_that_fails_again_and_again_is_left_alone_and_tried_again(error: Exception) -> None:
    """Three failures in a row; then nobody asks for a second; then one tries, and on success all go on."""
    desk = Desk(load_failures_max=3, load_retry_after_s=1.0)
    for _ in range(3):
        desk.fails(error)
    with pytest.raises(LoadRefused, match="3 times in a row") as caught:
        desk.loading.run(lambda: pytest.fail("the loader was called"), "database")
    assert caught.value.detail == "source-broken"
    desk.clock.move(1.0)
    desk.fails(error)
    with pytest.raises(LoadRefused):
        desk.loading.run(lambda: pytest.fail("the loader was called"), "database")
    desk.clock.move(1.0)
    for _ in range(2):
        assert desk.loading.run(lambda: Loaded(b"v"), "database").value == b"v"
    assert desk.outcomes().count(LoadOutcome.BROKEN) == 2


def test_an_error_of_the_application_breaks_nothing() -> None:
    """A loader that raises ValueError has been answered by its source: a hundred of them refuse nobody."""
    desk = Desk(load_failures_max=3)
    for _ in range(100):
        desk.fails(ValueError("no such product"))
    desk.fails(ConnectionResetError())
    desk.fails(ConnectionResetError())
    desk.fails(ValueError("between"))
    desk.fails(ConnectionResetError())
    assert desk.loading.run(lambda: Loaded(b"v"), "database").value == b"v"


def test_a_permit_that_arrives_as_its_waiter_gives_up_is_not_lost() -> None:
    """The waiter's time is over, and before it has left the line the permit is handed to it: it is its own then."""
    clock = MovedClock()
    permits = Permits(1, clock)
    assert permits.take(0.0)
    handed: list[bool] = []

    class Late:
        def open(self) -> None:
            handed.append(True)

        def wait(self, timeout_s: float) -> bool:
            permits.give_back()  # after the wait, before the line is left
            return False

    clock.gate = Late  # type: ignore[method-assign]
    assert permits.take(0.0)
    assert handed == [True]
    permits.give_back()
    assert permits.take(0.0), "and there is one still"


def test_in_a_crowd_who_may_is_shown_what_expired_and_who_may_not_is_refused() -> None:
    """By policy: a labelled stale value up to its age, else the error; never what was invalidated (hazard 28)."""
    place = Place()
    node = place.node(load_failures_max=1, load_retry_after_s=1000.0)
    patient = Policy(ttl_s=1.0, l1_ttl_s=0.5, stale_s=30.0)
    node.read(b"old", patient)
    place.clock.move(1.5)

    def failing() -> Loaded:
        raise ConnectionRefusedError("database away")

    for _ in range(2):  # first the loader fails, then it is not asked any more
        answer = node.cache.read(KEY, failing, patient)
        assert (answer.value, answer.layer) == (b"old", Layer.L2)
        assert answer.steps[0].detail == "stale; source-in-trouble"
    with pytest.raises(LoadRefused):
        node.cache.read("product:2", failing, patient)
    with pytest.raises(LoadRefused):
        node.cache.read(KEY, failing)
    node.cache.invalidate(NAMES)
    with pytest.raises(LoadRefused):
        node.cache.read(KEY, failing, patient)


def test_the_token_of_a_refused_load_is_given_back() -> None:
    """Another node, whose source is well, loads at once."""
    place = Place()
    here, there = place.node(load_failures_max=1), place.node()

    def failing() -> Loaded:
        raise ConnectionRefusedError("database away")

    for error in (ConnectionRefusedError, LoadRefused):
        with pytest.raises(error):
            here.cache.read(KEY, failing)
    before_s = place.clock.now()
    assert there.read(b"v").stored
    assert place.clock.now() == before_s


def test_in_strict_nothing_stale_is_shown_whatever_the_policy_says() -> None:
    """An expired value may be older than a write that was acknowledged after its end."""
    place = Place(Strategy.STRICT)
    node = place.node(load_failures_max=1)
    patient = Policy(ttl_s=1.0, l1_ttl_s=0.5, stale_s=30.0)
    node.read(b"old", patient)
    place.clock.move(1.5)

    def failing() -> Loaded:
        raise ConnectionRefusedError("database away")

    for error in (ConnectionRefusedError, LoadRefused):
        with pytest.raises(error):
            node.cache.read(KEY, failing, patient)


def test_waiting_in_line_is_first_come_first_served() -> None:
    """Three wait; permits go to them in the order in which they came, and a newcomer overtakes nobody."""
    clock = MovedClock()
    permits = Permits(1, clock)
    assert permits.take(0.0)
    order: list[int] = []

    def wait(number: int) -> None:
        assert permits.take(30.0)
        order.append(number)
        permits.give_back()

    threads = []
    for number in range(3):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        until(lambda: clock.waiting == len(threads), within_s=5, waiting_for="the thread to wait")
    permits.give_back()
    for thread in threads:
        thread.join(5.0)
    assert order == [0, 1, 2]
