"""HTTP-dates around now: how a test moves in time without waiting."""

from __future__ import annotations

import time
from email.utils import formatdate

HOUR_S = 3600


def from_now(seconds: float) -> str:
    """The IMF-fixdate that is so many seconds from now; negative is the past."""
    return formatdate(time.time() + seconds, usegmt=True)


def aged(age_s: int, *lines: str) -> tuple[str, ...]:
    """Header lines of an answer that says it is already so old."""
    return (f"Age: {age_s}", *lines)
