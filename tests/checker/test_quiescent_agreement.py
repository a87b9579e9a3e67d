"""Quiescent agreement: everybody's final answer is the latest."""

from __future__ import annotations

from cluster.checker.anomaly import Disagreement
from cluster.checker.quiescent_agreement import quiescent_agreement
from cluster.checker.verdict import Decision, Verdict
from tests.checker.notation import history

WRITE = "a write x=1 0..10\n"
W1_NEW = "- read x=1 90..91 via=w1 phase=final\n"
W2_OLD = "- read x=0 90..91 via=w2 phase=final\n"


def verdict(text: str) -> Verdict:
    return quiescent_agreement(history(text))


def test_who_still_answers_with_the_old_version_disagrees() -> None:
    """It will hold it until something else happens."""
    found = verdict(WRITE + W1_NEW + W2_OLD)
    assert found.decision is Decision.INVALID
    (anomaly,) = found.anomalies
    assert isinstance(anomaly, Disagreement)
    assert (anomaly.read.via, anomaly.latest) == ("w2", 1)
    assert "w2 returned no such thing (404) of x at 0.091 s (#3); the latest is version 1" in found.witness()


def test_a_newer_answer_than_the_database_has_is_no_agreement_either() -> None:
    """The cache kept what the database does not have."""
    assert verdict(WRITE + "- read x=2 90..91 phase=final op=-\naudit x=1\naudited").decision is Decision.INVALID


def test_agreement_is_on_the_databases_version() -> None:
    """A write that nobody acknowledged but the audit has is the latest."""
    text = WRITE + "b write x=2 11.. info\n" + W1_NEW + "audit x=1\n{}audited"
    assert verdict(text.format("")).decision is Decision.VALID
    assert verdict(text.format("audit x=2\n")).decision is Decision.INVALID


def test_without_an_audit_an_unknown_write_has_landed_for_all_or_for_none() -> None:
    """One worker shows it, another does not: they disagree."""
    unknown = WRITE + "b write x=2 11.. info\n"
    assert verdict(unknown + W1_NEW + "- read x=1 90..91 via=w2 phase=final").decision is Decision.VALID
    assert verdict(unknown + W1_NEW + "- read x=2 90..91 via=w2 phase=final").decision is Decision.INVALID


def test_the_last_final_read_counts() -> None:
    """A final reading may be repeated until all agree."""
    assert verdict(WRITE + W2_OLD + "- read x=1 95..96 via=w2 phase=final").decision is Decision.VALID


def test_without_final_reads_nothing_is_known() -> None:
    """Reads under traffic say nothing of rest."""
    assert verdict(WRITE + "- read x=1 20..21").decision is Decision.UNKNOWN
