"""Convergence: how long somebody still answers without a write."""

from __future__ import annotations

import pytest

from cluster.checker.convergence import Convergence, convergence
from cluster.checker.register import registers
from cluster.checker.verdict import Decision
from tests.checker.notation import MS, history


def verdict(text: str, *, bound_ms: int | None = None) -> Convergence:
    return convergence(registers(history(text)), bound_ns=None if bound_ms is None else bound_ms * MS)


def test_it_lasts_until_the_last_old_answer_is_asked_for() -> None:
    """Per via: w1 still answered with the old version 15 ms after the write returned, w2 at once with the new."""
    found = verdict(
        "a write x=1 0..10\n- read x=0 20..21 via=w1\n- read x=0 25..40 via=w1\n- read x=1 41..42 via=w1\n"
        "- read x=1 20..21 via=w2"
    )
    assert [each / MS for each in found.after_ns] == [0, 15]
    assert (found.decision, found.censored, found.unobserved) == (Decision.VALID, 0, 0)


def test_flapping_lasts_until_it_ends() -> None:
    """New, then old again: it had not converged."""
    found = verdict("a write x=1 0..10\n- read x=1 20..21\n- read x=0 30..31\n- read x=1 40..41")
    assert [each / MS for each in found.after_ns] == [20]


def test_where_nobody_asked_nothing_is_known() -> None:
    """A via that was not read after the write is counted apart."""
    found = verdict("- read x=0 1..2 via=w1\na write x=1 0..10\n- read x=1 20..21 via=w2")
    assert (len(found.after_ns), found.unobserved) == (1, 1)


def test_a_record_that_ends_too_early_is_unknown() -> None:
    """The last answer was old, and traffic simply stopped: the time is a lower bound."""
    found = verdict("a write x=1 0..10\n- read x=0 20..21")
    assert (found.decision, found.censored) == (Decision.UNKNOWN, 1)
    assert found.reason == "1 of 1 pairs of write and reader end while the reader is still behind"


def test_old_in_the_final_reads_never_converges() -> None:
    """When all had come to rest there is no excuse left."""
    found = verdict("a write x=1 0..10\n- read x=0 900..901 via=w1 phase=final")
    assert found.decision is Decision.INVALID
    assert found.witness() == (
        "session a's write x1 of x through edge (#1) was acknowledged as version 1 at 0.010 s; "
        "w1 still returned version 0 890.0 ms later (#2) and never showed it"
    ).replace("version 0", "no such thing (404)")


@pytest.mark.parametrize(("bound_ms", "decision"), [(14, Decision.INVALID), (15, Decision.VALID)])
def test_a_bound_is_kept_up_to_itself(bound_ms: int, decision: Decision) -> None:
    """Both sides of the bound."""
    text = "a write x=1 0..10\n- read x=0 25..26\n- read x=1 27..28"
    assert verdict(text, bound_ms=bound_ms).decision is decision


def test_only_acknowledged_writes_are_waited_for() -> None:
    """Unknown and refused writes, and what was there before, have no beginning to count from."""
    found = verdict("baseline x=3\na write x=4 0.. info\nb write x=5 0..1 fail\n- read x=3 20..21\n- read x=4 30..31")
    assert (found.decision, found.checked) == (Decision.UNKNOWN, 0)
