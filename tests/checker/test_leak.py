"""Leak: whose data went to whom, by the session's user and the answer's owner."""

from __future__ import annotations

from cluster.checker.leak import leak
from cluster.checker.verdict import Decision
from tests.checker.notation import history


def test_an_answer_that_holds_another_users_data_is_a_leak() -> None:
    """Ada was shown Bob's page."""
    found = leak(history("a read me 0..1 user=ada owner=ada\na read me 2..3 user=ada owner=bob via=w1 layer=l1"))
    assert (found.decision, found.checked, found.found) == (Decision.INVALID, 2, 1)
    assert found.witness() == (
        "session a's read of me through w1 (#2), signed in as ada, was given bob's data at 0.003 s (it says: l1)"
    )


def test_a_guest_who_sees_a_users_page_is_a_leak() -> None:
    """Nobody in particular is somebody else, too."""
    assert leak(history("a read me 0..1 user=guest owner=bob")).decision is Decision.INVALID


def test_everybody_saw_their_own() -> None:
    """Valid needs personal answers; public ones have no owner."""
    assert leak(history("a read me 0..1 user=ada owner=ada")).decision is Decision.VALID
    assert leak(history("a read x=0 0..1")).decision is Decision.UNKNOWN
