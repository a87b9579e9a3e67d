"""A process whose wall clock is off: what reads the wall clock is, what measures time is not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from cluster.processes.clock import environment, set_offset_s

ASK = """
import time, threading
from email.utils import formatdate
began = time.monotonic()
threading.Event().wait(0.05)
time.sleep(0.05)
print(time.time(), time.time_ns() / 1e9, time.clock_gettime(time.CLOCK_REALTIME), time.monotonic(), formatdate())
"""


def test_a_skewed_process_is_off_by_so_much(tmp_path: Path) -> None:
    """Five seconds, by each way to ask for the wall clock; the monotonic clock is the machine's, and waiting works."""
    set_offset_s(tmp_path, -5.0)
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=os.environ | environment(tmp_path), capture_output=True, text=True, check=True
    )
    wall, wall_ns, realtime, monotonic = map(float, done.stdout.split()[:4])
    now, now_monotonic = time.time(), time.monotonic()
    assert all(5.0 <= now - each < 25.0 for each in (wall, wall_ns, realtime))
    assert 0.0 <= now_monotonic - monotonic < 20.0


def test_the_offset_stays_until_it_is_taken_away(tmp_path: Path) -> None:
    """Whoever starts the node again finds it; setting it twice is once; without one nothing is added."""
    assert environment(tmp_path) == {}
    assert set_offset_s(tmp_path, 3.5)
    assert not set_offset_s(tmp_path, 3.5)
    assert environment(tmp_path)["SKEW_S"] == "3.5"
    assert set_offset_s(tmp_path, 0.0)
    assert not set_offset_s(tmp_path, 0.0)
    assert environment(tmp_path) == {}
