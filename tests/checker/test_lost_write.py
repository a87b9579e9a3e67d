"""Lost write: answers against the audit table."""

from __future__ import annotations

import pytest

from cluster.checker.anomaly import LossKind, LostWrite, SharedVersion
from cluster.checker.lost_write import lost_write
from cluster.checker.register import registers
from cluster.checker.verdict import Decision, Verdict
from tests.checker.notation import history


def verdict(text: str) -> Verdict:
    return lost_write(registers(history(text)))


def test_every_answer_was_true() -> None:
    """Acknowledged and there, refused and not there, unknown and either."""
    text = "a write x=1 0..1\nb write x=2 0..1 fail op=q\nc write x=2 3.. info\nd write x=3 3.. info\n"
    assert verdict(text + "audit x=1\naudit x=2\naudited").decision is Decision.VALID


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("a write x=1 0..1\naudited", LossKind.MISSING),
        ("a write x=1 0..1\naudit x=2 op=x1\naudited", LossKind.OTHER_VERSION),
        ("a write x=1 0..1 fail\naudit x=1\naudited", LossKind.FAILED_YET_COMMITTED),
        ("a write x=1 0..1\naudit x=1\naudit x=2 op=x1\naudited", LossKind.TWICE),
        ("a write x=1 0.. info\naudit x=1\naudit x=2 op=x1\naudited", LossKind.TWICE),
    ],
)
def test_each_untruth_is_named(text: str, kind: LossKind) -> None:
    """Lost, renumbered, refused yet done, done twice."""
    found = verdict(text)
    assert found.decision is Decision.INVALID
    assert kind in [each.kind for each in found.anomalies if isinstance(each, LostWrite)]
    assert kind.value in found.witness()


def test_two_writes_of_one_version_are_one_lost_write() -> None:
    """The second overwrote the first unseen; the audit is not needed to see it."""
    found = verdict("a write x=1 0..5 op=p\nb write x=1 3..6 op=q")
    assert [type(each) for each in found.anomalies] == [SharedVersion]
    assert "the writes p and q of x both became version 1" in found.witness()


def test_without_the_audit_nobody_knows_what_was_committed() -> None:
    """Acknowledgements alone prove nothing; nor does an audit without a write."""
    assert verdict("a write x=1 0..1").decision is Decision.UNKNOWN
    assert verdict("- read x=0 0..1\naudited").decision is Decision.UNKNOWN
