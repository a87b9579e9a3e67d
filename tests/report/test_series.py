"""The curves of a report, from small histories that can be checked by eye."""

from __future__ import annotations

import pytest

from cluster.report.series import BINS, POINTS_MAX, series
from tests.checker.notation import history

MS = 1_000_000


def test_a_read_counts_where_it_was_due_and_a_stale_one_where_it_began() -> None:
    """Two bins of 50 ms: a write and a fresh read in the first, a stale read in the second, late by 40 ms at least."""
    seen = history(
        """
        baseline x=3
        a write x=4    0..10
        b read  x=4   20..24  via=w1 layer=l1
        c read  x=3   50..58  via=w2 layer=edge
        """
    )
    drawn = series(seen, 0, 0.1)
    assert drawn.width_s == 0.05
    assert drawn.starts_s == [0, 0.05]
    assert drawn.answered_per_s == [40, 20]
    assert drawn.failed_per_s == [0, 0]
    assert drawn.read.p50_ms == [4, 8]
    assert drawn.write.p99_ms == [10, None]
    assert drawn.stale == [0, 1]
    assert drawn.stale_worst_ms == [0, 40]
    assert drawn.layers == {"edge": [0, 1], "l1": [1, 0]}
    assert drawn.behind == {"w1": [0, None], "w2": [None, 1]}


def test_how_stale_and_how_soon_are_distributions() -> None:
    """Of four reads one is stale by 10 ms and one by 40 ms: half are staler than nothing, none than 40 ms."""
    seen = history(
        """
        baseline x=3
        a write x=4    0..10
        b read  x=3   20..21  via=w1
        b read  x=3   50..51  via=w1
        b read  x=4   60..61  via=w1
        b read  x=4   70..71  via=w1
        """
    )
    drawn = series(seen, 0, 0.1)
    assert drawn.stale_visible.at_ms == [10, 40]
    assert drawn.stale_visible.share == [0.25, 0]
    assert drawn.converged.at_ms == [40]
    assert drawn.converged.share == [1]


@pytest.mark.parametrize("seconds", [0.2, 3, 60, 3600])
def test_a_series_does_not_grow_with_its_run(seconds: float) -> None:
    """However long the run, there are at most BINS bins and POINTS_MAX points."""
    lines = [f"a write x={number} {number * 2}..{number * 2 + 1}" for number in range(1, 200)]
    lines += [f"b read x={max(0, number - 3)} {number * 2 + 1}..{number * 2 + 2}" for number in range(3, 200)]
    drawn = series(history("\n".join(lines)), 0, seconds)
    assert 1 <= len(drawn.starts_s) <= BINS
    assert len(drawn.stale_visible.at_ms) <= POINTS_MAX


def test_what_was_refused_is_shown_as_such() -> None:
    """An operation that failed or whose end nobody saw is no answer, and has no latency."""
    drawn = series(history("a read x= 0..3 fail\nb write x=5 4..9 info\nc read x=0 10..11"), 0, 0.05)
    assert drawn.failed_per_s == [40]
    assert drawn.answered_per_s == [20]
    assert drawn.write.p50_ms == [None]
