"""Waiting: bounded, named, and fair to a machine that stalls."""

from __future__ import annotations

import pytest

from cluster.errors import NotInTimeError
from cluster.until import until


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


def test_it_returns_how_long_it_took() -> None:
    """Asked at 0, 0.5 and 1.0 s; true at the third."""
    clock, answers = Clock(), ["no", "no", None]
    took = until(lambda: answers.pop(0), within_s=5, waiting_for="yes", every_s=0.5, clock=clock, sleep=clock.sleep)
    assert took == 1.0


def test_it_gives_up_in_its_time_and_says_what_was_missing() -> None:
    """The error names what was waited for, the bound, and the last thing that was missing."""
    clock = Clock()
    with pytest.raises(NotInTimeError, match=r"waited for redis to answer: not within 2 s; connection refused"):
        until(
            lambda: "connection refused",
            within_s=2,
            waiting_for="redis to answer",
            every_s=0.5,
            clock=clock,
            sleep=clock.sleep,
        )
    assert clock.now == 102.0


def test_a_stall_between_two_questions_is_not_a_failure() -> None:
    """The machine sleeps for an hour after the first question; by then it is so, and one more question finds it."""
    clock, answers = Clock(), ["no", None]

    def sleep_long(_seconds: float) -> None:
        clock.now += 3600

    until(lambda: answers.pop(0), within_s=5, waiting_for="yes", clock=clock, sleep=sleep_long)
