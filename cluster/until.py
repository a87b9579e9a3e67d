"""Waiting, with a bound and a name. The only place of the examiner that sleeps.

    until(redis_answers, within_s=5, waiting_for="redis to answer")
    -> NotInTimeError: waited for redis to answer: not within 5 s; connection refused

A condition answers None when it holds, else what is still missing: the error then says more than "timeout".
"""

from __future__ import annotations

import time
from collections.abc import Callable

from cluster.errors import NotInTimeError

Missing = str | None


def until(
    missing: Callable[[], Missing],
    *,
    within_s: float,
    waiting_for: str,
    every_s: float = 0.05,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> float:
    """Ask `missing` every `every_s` seconds until it answers None; return the seconds that took.

    The condition is asked at least once, and once more after the deadline has passed, so that a machine that
    stalls between two questions is not mistaken for a cluster that never came up.
    Raises NotInTimeError after `within_s`, and whatever `missing` raises.
    """
    began = clock()
    while True:
        late = clock() - began >= within_s
        lacking = missing()
        if lacking is None:
            return clock() - began
        if late:
            raise NotInTimeError(f"waited for {waiting_for}: not within {within_s:g} s; {lacking}")
        sleep(every_s)


def pause_s(seconds: float) -> None:
    """Sleep between two looks at something that has no end of its own (following a log)."""
    time.sleep(seconds)
