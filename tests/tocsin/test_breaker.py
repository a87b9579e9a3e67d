"""The breaker: after a failure one request per period goes out, until one succeeds."""

from __future__ import annotations

from tocsin.breaker import Breaker

from tests.tocsin.moved_clock import MovedClock


def broken(clock: MovedClock) -> Breaker:
    breaker = Breaker(retry_after_s=0.5, clock=clock)
    breaker.failed()
    return breaker


def test_it_lets_everything_pass_while_nothing_fails() -> None:
    """A closed breaker is invisible."""
    breaker = Breaker(retry_after_s=0.5, clock=MovedClock())
    assert all(breaker.allows() for _ in range(3))


def test_after_a_failure_nothing_passes_for_a_period() -> None:
    """The boundary belongs to the next try."""
    clock = MovedClock()
    breaker = broken(clock)
    assert not breaker.allows()
    clock.move(0.49)
    assert not breaker.allows()
    clock.move(0.01)
    assert breaker.allows()


def test_one_try_goes_out_per_period() -> None:
    """Whoever comes while the try is out is refused, so a cut-off node does not pay a timeout per thread."""
    clock = MovedClock()
    breaker = broken(clock)
    clock.move(0.5)
    assert [breaker.allows() for _ in range(3)] == [True, False, False]


def test_a_success_closes_it() -> None:
    """The first answer lets everybody pass again."""
    clock = MovedClock()
    breaker = broken(clock)
    clock.move(0.5)
    breaker.allows()
    breaker.succeeded()
    assert [breaker.allows() for _ in range(3)] == [True] * 3


def test_a_failed_try_opens_it_for_another_period() -> None:
    """The period counts from the failure."""
    clock = MovedClock()
    breaker = broken(clock)
    clock.move(0.5)
    breaker.allows()
    clock.move(0.2)
    breaker.failed()
    clock.move(0.4)
    assert not breaker.allows()
    clock.move(0.1)
    assert breaker.allows()


def test_a_try_that_never_reports_back_costs_one_period() -> None:
    """A thread that died while it tried does not hold the breaker open for ever."""
    clock = MovedClock()
    breaker = broken(clock)
    clock.move(0.5)
    assert breaker.allows()
    clock.move(0.5)
    assert breaker.allows()
