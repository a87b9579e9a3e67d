"""What is seen while the demo plays: plain lines in a log, one living line on a terminal."""

from __future__ import annotations

import io
from collections import Counter

from rich.console import Console

from cluster.demo.ticker import Ticker
from cluster.workload.tally import Tally

TALLY = Tally(asked=1234, answered=1200, writes=60, errors=Counter({"refused": 30}))


def test_without_a_terminal_a_line_comes_every_five_seconds() -> None:
    """Plain lines, so that a log stays short; what happens is told at once."""
    text = io.StringIO()
    with Ticker(Console(file=text, width=60), duration_s=20) as ticker:
        for seconds in (0.2, 4.9, 5.1, 5.3, 9.9, 10.2):
            ticker.watch(seconds, TALLY)
        ticker.tell(10.3, "killed node-2 [with SIGKILL]")
    assert text.getvalue().splitlines() == [
        "    5.1 s  ━━━━━───────────────  1,234 requests, 60 writes, 30 errors, 4 waiting",
        "   10.2 s  ━━━━━━━━━━──────────  1,234 requests, 60 writes, 30 errors, 4 waiting",
        "   10.3 s  killed node-2 [with SIGKILL]",
    ]


def test_on_a_terminal_one_line_lives_and_leaves_no_trace() -> None:
    """It fits into 80 columns; what was told stays."""
    text = io.StringIO()
    console = Console(file=text, width=80, force_terminal=True, highlight=False, _environ={})
    with Ticker(console, duration_s=20) as ticker:
        ticker.watch(19.9, TALLY)
        ticker.tell(20.0, "restarted node-2")
    assert "1,234 requests" in text.getvalue()
    assert text.getvalue().endswith("\x1b[2K")
    assert "restarted node-2" in text.getvalue()
