"""Phantom: answers that nobody can have written, each on a history of a few lines."""

from __future__ import annotations

import pytest

from cluster.checker.anomaly import PhantomKind, PhantomRead
from cluster.checker.phantom import phantom
from cluster.checker.register import registers
from cluster.checker.verdict import Decision, Verdict
from tests.checker.notation import history


def verdict(text: str) -> Verdict:
    return phantom(registers(history(text)))


def kinds(text: str) -> list[PhantomKind]:
    return [each.kind for each in verdict(text).anomalies if isinstance(each, PhantomRead)]


def test_a_version_that_was_written_is_no_phantom() -> None:
    """What a write became may be read, while the write is under way and afterwards."""
    found = verdict("a write x=1 0..10\nb read x=1 5..6\nb read x=1 20..21\nb read x=0 0..0")
    assert found.decision is Decision.VALID
    assert found.checked == 3


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a write x=1 0..10\nb read x=2 20..21", PhantomKind.NEVER_WRITTEN),
        ("b read x=1 0..4\na write x=1 5..10", PhantomKind.FROM_THE_FUTURE),
        ("a write x=1 0..10 fail\nb read x=1 20..21", PhantomKind.ABORTED),
        ("a write x=1 0..10 fail op=q\nc write x=1 0..9\nb read x=1 20..21 op=q", PhantomKind.ABORTED),
        ("a write x=1 0.. info\nb read x=1 20..21\naudited", PhantomKind.UNCOMMITTED),
        ("a write x=1 0..10\nb read x=1 20..21 op=x9", PhantomKind.WRONG_VALUE),
        ("a write x=1 0..10 digest=7\nb read x=1 20..21 digest=8", PhantomKind.TWO_VALUES),
        ("b read x=0 20..21 digest=7\nb read x=0 22..23 digest=8", PhantomKind.TWO_VALUES),
    ],
)
def test_an_answer_that_nobody_wrote_is_a_phantom(text: str, kind: PhantomKind) -> None:
    """Each way of being a phantom is named."""
    found = verdict(text)
    assert found.decision is Decision.INVALID
    assert kinds(text) == [kind]
    assert kind.value in found.witness()


def test_a_write_that_begins_in_the_instant_in_which_the_read_ends_may_be_seen() -> None:
    """Intervals are closed: equal stamps are concurrent."""
    assert verdict("b read x=1 0..5\na write x=1 5..10").decision is Decision.VALID


def test_a_write_of_unknown_end_may_be_seen() -> None:
    """Its id in an answer proves that it happened, if no complete audit says otherwise."""
    assert verdict("a write x=1 0.. info\nb read x=1 20..21").decision is Decision.VALID
    assert verdict("a write x=1 0.. info\nb read x=1 20..21\naudit x=1\naudited").decision is Decision.VALID


def test_a_version_without_an_operation_id_may_be_that_of_a_write_of_unknown_end() -> None:
    """An answer that does not say whose value it holds is not convicted while some write may explain it."""
    assert verdict("a write x=1 5.. info\nb read x=1 5..6 op=-").decision is Decision.VALID
    assert kinds("a write x=1 7.. info\nb read x=1 5..6 op=-") == [PhantomKind.NEVER_WRITTEN]


def test_somebody_elses_write_may_be_seen() -> None:
    """A row of the audit table that no operation of the history explains is a write nonetheless."""
    assert verdict("b read x=1 20..21 op=theirs\naudit x=1 op=theirs\naudited").decision is Decision.VALID


def test_an_old_version_from_before_the_run_is_no_phantom() -> None:
    """Nobody here can know who wrote it; that it is old is another matter."""
    assert verdict("baseline x=7\nb read x=5 20..21 op=theirs").decision is Decision.VALID


def test_two_writes_of_one_version_may_both_be_seen() -> None:
    """That they share a version is convicted elsewhere; the reads are innocent."""
    assert (
        verdict("a write x=1 0..5 op=p\nb write x=1 0..5 op=q\nc read x=1 6..7 op=p\nc read x=1 8..9 op=q").found == 0
    )


def test_a_phantom_condemns_only_itself() -> None:
    """A version out of thin air does not make every later read stale."""
    found = registers(history("a write x=1 0..1\nb read x=99 2..3\nb read x=1 5..6"))
    assert [len(each.read_rows) for each in found] == [1]


def test_without_reads_nothing_is_known() -> None:
    """An empty history keeps no promise."""
    found = verdict("a write x=1 0..10")
    assert found.decision is Decision.UNKNOWN
    assert found.reason == "0 reads seen, 1 needed"


def test_the_witness_names_who_what_and_when() -> None:
    """The story can be read without the history."""
    found = verdict("a write x=1 0..1\nb read x=99 2..3 op=ghost via=node-1/worker-1")
    assert found.witness() == (
        "session b's read of x through node-1/worker-1 (#2) ended at 0.003 s and returned version 99 "
        "carrying write ghost, but no write became that version"
    )
