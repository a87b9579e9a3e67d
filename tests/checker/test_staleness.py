"""Staleness: the interval in which it lies, and the bound that was promised."""

from __future__ import annotations

import pytest

from cluster.checker.register import registers
from cluster.checker.staleness import Staleness, stale_reads, staleness
from cluster.checker.verdict import Decision
from tests.checker.notation import MS, history

LATE = "a write x=1 0..10\nb read x=0 25..30"


def verdict(text: str, *, bound_ms: int | None = None) -> Staleness:
    return staleness(registers(history(text)), bound_ns=None if bound_ms is None else bound_ms * MS)


def test_the_worst_read_is_told_as_an_interval() -> None:
    """At least from the write's return to the read's call; at most from the write's call to the read's return."""
    found = verdict(LATE)
    assert (found.worst_at_least_ns, found.worst_at_most_ns) == (15 * MS, 30 * MS)
    assert found.reason == "1 of 1 reads were stale; no bound was promised"


@pytest.mark.parametrize(("bound_ms", "decision"), [(14, Decision.INVALID), (15, Decision.VALID)])
def test_only_what_is_proven_breaks_a_bound(bound_ms: int, decision: Decision) -> None:
    """The lower end of the interval must exceed the bound; to equal it is to keep it."""
    found = verdict(LATE, bound_ms=bound_ms)
    assert found.decision is decision
    assert found.found == (decision is Decision.INVALID)


def test_what_another_reader_saw_counts_from_its_return() -> None:
    """A read proves a write as well as its acknowledgement does: here from 6, not from 40."""
    found = verdict("a write x=1 0..40\nb read x=1 5..6\nc read x=0 10..11")
    assert (found.worst_at_least_ns, found.worst_at_most_ns) == (4 * MS, 11 * MS)


def test_the_upper_end_is_open_where_the_next_write_is_nobodys() -> None:
    """Somebody else's write was committed, and nobody here knows when."""
    found = verdict("a write x=2 0..10\nb read x=0 25..30\naudit x=1 op=theirs\naudit x=2\naudited")
    assert found.worst_at_most_ns is None
    assert verdict("a write x=2 0..10\nb read x=0 25..30").worst_at_most_ns is None


def test_nothing_stale_is_zero() -> None:
    """No staleness is the interval from 0 to 0."""
    found = verdict("a write x=1 0..10\nb read x=1 25..30", bound_ms=0)
    assert (found.decision, found.worst_at_least_ns, found.worst_at_most_ns) == (Decision.VALID, 0, 0)


def test_every_stale_read_is_listed_with_its_row() -> None:
    """The whole distribution is there for plots, in columns."""
    laid_out = registers(history("a write x=1 0..10\nb read x=0 25..30\nb read x=0 31..32\nb read x=1 33..34"))
    found = stale_reads(laid_out, reads_too=True)
    assert [laid_out.history.index[row] for row in found.rows] == [2, 3]
    assert list(found.at_least_ns) == [15 * MS, 21 * MS]
