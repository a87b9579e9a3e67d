"""Bounded, named waiting for tests: no test sleeps and hopes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T], *, within_s: float, waiting_for: str, every_s: float = 0.02) -> T:
    """Ask `condition` until its answer is true, and return that answer.

    Raises AssertionError naming what was waited for, and the last answer, once `within_s` seconds have passed.
    """
    deadline = time.monotonic() + within_s
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise AssertionError(f"{waiting_for}: not within {within_s:g} s; the last answer was {answer!r}")
        time.sleep(every_s)
