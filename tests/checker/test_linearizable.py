"""Linearizable: every way of being out of order, named."""

from __future__ import annotations

import pytest

from cluster.checker.linearizable import linearizable
from cluster.checker.register import registers
from cluster.checker.verdict import Decision, Verdict
from tests.checker.notation import history


def verdict(text: str) -> Verdict:
    return linearizable(registers(history(text)))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a write x=1 0..10\nb read x=0 25..30", ["StaleRead"]),
        ("a write x=1 0..40\nb read x=1 5..6\nc read x=0 10..11", ["NewOldInversion"]),
        ("a write x=2 0..10\nb write x=1 11..20", ["WriteOutOfOrder"]),
        ("b read x=2 5..6\na write x=2 0..20\nc write x=1 11..20", ["WriteOutOfOrder"]),
        ("baseline x=3\na write x=2 1..10", ["WriteOutOfOrder"]),
        ("a write x=1 0..10 op=p\nb write x=1 5..20 op=q", ["SharedVersion"]),
        ("baseline x=1\na write x=1 0..10", ["SharedVersion"]),
        ("a write x=1 0..10\nb read x=2 20..21", ["PhantomRead"]),
    ],
)
def test_each_disorder_is_named(text: str, names: list[str]) -> None:
    """A broken history says in which way it is broken, and its witness can be told."""
    found = verdict(text)
    assert found.decision is Decision.INVALID
    assert [type(each).__name__ for each in found.anomalies] == names
    assert all(each.witness() for each in found.anomalies)


@pytest.mark.parametrize(
    "text",
    [
        "a write x=1 0..10\nb read x=0 10..11",
        "a write x=1 0..10\nb read x=1 0..0",
        "a write x=2 0..10\nb write x=1 10..20",
        "a write x=1 5..5\nb read x=0 5..5\nc read x=1 5..5",
        "a write x=1 0.. info\nb read x=0 50..51\nb read x=1 60..61",
        "a write x=1 0.. info\nb write x=2 50..51",
        "a write x=1 0..10 fail\nb read x=0 20..21",
    ],
)
def test_what_some_order_explains_is_acquitted(text: str) -> None:
    """Equal stamps, zero-length operations, unknown writes that land late or never: all innocent."""
    assert verdict(text).decision is Decision.VALID


def test_an_unknown_write_that_landed_must_have_landed_in_time() -> None:
    """Once its value was seen, or a later version was known before it began, it is judged as any other write."""
    assert verdict("a write x=1 0.. info\nb read x=1 5..6\nc read x=0 10..11").decision is Decision.INVALID
    assert verdict("b write x=2 0..1\na write x=1 5.. info\naudit x=2\naudit x=1\naudited").decision is Decision.INVALID


def test_without_operations_nothing_is_known() -> None:
    """An empty history keeps no promise."""
    assert verdict("baseline x=1").decision is Decision.UNKNOWN
