"""Imported by Python itself at the start of a process whose wall clock is to be off: `time.time` and its like move.

Its folder is put into PYTHONPATH of a node that suffers `clock-skew`, with SKEW_S, the seconds, in its environment; so
the services know nothing of it. Monotonic clocks are left as they are, and so is `datetime.now()`, which asks the
kernel itself. (libfaketime would move that too; but under it `time.sleep` fails, since Python sleeps until a moment of
the monotonic clock, and 0.9.10 takes that for one of the wall clock.)
"""

from __future__ import annotations

import os
import time

NS = 1_000_000_000


def skew(seconds: float) -> None:
    """Move this process's wall clock."""
    now, now_ns, gettime, gettime_ns = time.time, time.time_ns, time.clock_gettime, time.clock_gettime_ns
    skew_ns = round(seconds * NS)
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + skew_ns
    time.clock_gettime = lambda clock, /: gettime(clock) + (seconds if clock == time.CLOCK_REALTIME else 0.0)
    time.clock_gettime_ns = lambda clock, /: gettime_ns(clock) + (skew_ns if clock == time.CLOCK_REALTIME else 0)


if os.environ.get("SKEW_S"):
    skew(float(os.environ["SKEW_S"]))
