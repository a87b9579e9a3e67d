"""Availability: what was asked, what was answered."""

from __future__ import annotations

import pytest

from cluster.checker.availability import Share, availability
from cluster.checker.verdict import Decision
from cluster.history.operation import Kind, Phase
from tests.checker.notation import history

TEXT = (
    "a read x=0 0..1\na read x=0 2..3 fail status=502\n"
    "a read x=0 4..5 phase=fault fail status=0\na write x=1 0..9 fail status=412\nb write x=2 0.. info status=504"
)


def test_shares_are_by_kind_and_phase() -> None:
    """A refusal is an answer; a 502, a broken connection and an unknown end are none."""
    assert availability(history(TEXT)).shares == (
        Share(kind=Kind.READ, phase=Phase.WARM, asked=2, answered=1),
        Share(kind=Kind.READ, phase=Phase.FAULT, asked=1, answered=0),
        Share(kind=Kind.WRITE, phase=Phase.WARM, asked=2, answered=1),
    )


@pytest.mark.parametrize(("share_min", "decision"), [(0.5, Decision.INVALID), (0.0, Decision.VALID)])
def test_every_share_must_reach_the_promise(share_min: float, decision: Decision) -> None:
    """Half of the reads in health is enough for one half; none during the fault is not."""
    assert availability(history(TEXT), share_min=share_min).decision is decision


def test_the_witness_names_the_first_that_got_no_answer() -> None:
    """Kind, phase, counts, and where to look."""
    found = availability(history(TEXT), share_min=0.9)
    assert found.witness() == (
        "1 of 2 reads in phase warm were answered; the first that was not: "
        "session a's read of x through edge (#2) at 0.002 s (502)"
    )


def test_without_operations_nothing_is_known() -> None:
    """Nobody asked."""
    assert availability(history("baseline x=1"), share_min=1).decision is Decision.UNKNOWN
