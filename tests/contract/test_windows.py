"""When a fault was in force, and when the machine stood still: from the history alone."""

from __future__ import annotations

import pytest

from cluster.contract.window import Pauses, Window, healed_ns, health_ends_ns, pauses, windows
from cluster.history.operation import BEGINNING, FOREVER
from tests.checker.notation import MS, history


def test_a_fault_is_in_force_from_its_plan_to_its_heal() -> None:
    """In the order in which they began; of two that overlap each has its own end."""
    found = windows(history("fault partition node-1 30..90\nfault kill node-2 10..50"))
    assert found == (Window("kill", 10 * MS, 50 * MS), Window("partition", 30 * MS, 90 * MS))
    assert (health_ends_ns(found), healed_ns(found)) == (10 * MS, 90 * MS)


def test_a_fault_that_was_never_healed_lasts_for_ever() -> None:
    """Nothing comes after it."""
    found = windows(history("fault kill node-2 10.."))
    assert found == (Window("kill", 10 * MS, FOREVER),)
    assert healed_ns(found) == FOREVER


def test_without_faults_all_is_health() -> None:
    """Before the first fault that never came."""
    assert (health_ends_ns(()), healed_ns(())) == (FOREVER, BEGINNING)


@pytest.mark.parametrize(
    ("start", "end", "stood"), [(0, 5, 0), (0, 15, 5), (12, 14, 2), (0, 100, 25), (15, 45, 10), (30, 31, 0)]
)
def test_pauses_are_counted_within_a_stretch(start: int, end: int, stood: int) -> None:
    """Pauses of 10..20, 40..50 and 45..55: the last two are one."""
    found = Pauses([(40, 50), (10, 20), (45, 55)])
    assert found.within(start, end) == stood
    assert found.total_ns == 25


def test_a_late_request_shows_a_pause_and_a_slightly_late_one_does_not() -> None:
    """Due at 100 ms, sent at 400 ms: the driver stood still for 300 ms. 5 ms are the event loop's own."""
    found = pauses(history("- read x=0 400..401 late=300\n- read x=0 500..501 late=5"))
    assert found.total_ns == 300 * MS
    assert found.within(0, 250 * MS) == 150 * MS
