"""The scorecard: a bug counts as convicted only for what it is, and a mistake outranks everything unknown."""

from __future__ import annotations

from cluster.checker.verdict import Decision
from cluster.record.run import CauseRecord, PromiseRecord, RunRecord
from cluster.scenario.scenario import Scenario
from cluster.selfcheck.planted import PLANTED, PlantedBug
from cluster.selfcheck.scorecard import Finding, Line, Scorecard, line_of_bug, line_of_control
from cluster.trace.cause import Cause

BUG = PlantedBug(name="some-bug", strategy="pubsub", property="staleness", cause=Cause.NOT_DELIVERED)


def run(
    decision: Decision, *, broken: tuple[str, ...] = (), causes: tuple[tuple[str, int], ...] = (), skipped: str = ""
) -> RunRecord:
    """A judged run."""
    promises = [
        PromiseRecord(property=each, text="…", decision=Decision.INVALID, reason="…", checked=9, found=3)
        for each in broken
    ]
    kept = PromiseRecord(property="phantom", text="…", decision=Decision.VALID, reason="…", checked=9, found=0)
    return RunRecord(
        id="1", scenario=Scenario(), started_at="", decision=decision, reason="why", skipped=skipped,
        promises=(*promises, kept),
        causes=tuple(CauseRecord(cause=name, count=count, worst_at_least_ns=1, witness="") for name, count in causes),
    )  # fmt: skip


def finding(record: RunRecord, bug: PlantedBug = BUG) -> Finding:
    return line_of_bug(bug, record, "/runs/1").finding


def test_a_bug_is_convicted_for_its_property_and_its_cause() -> None:
    """Other promises may be broken too, and other causes be rarer."""
    record = run(
        Decision.INVALID, broken=("monotonic reads", "staleness"), causes=(("not delivered", 9), ("ignored", 2))
    )
    assert finding(record) is Finding.CONVICTED


def test_a_bug_that_is_convicted_of_something_else_has_escaped() -> None:
    """The wrong property; the right one for the wrong cause; nothing at all."""
    assert finding(run(Decision.INVALID, broken=("leak",))) is Finding.ESCAPED
    assert finding(run(Decision.INVALID, broken=("staleness",), causes=(("ignored", 9),))) is Finding.ESCAPED
    assert finding(run(Decision.VALID)) is Finding.ESCAPED


def test_what_the_edge_kept_is_the_cause_of_whoever_gave_it() -> None:
    """However many answers it gave from its store: the cause that counts is the workers' own."""
    causes = (("kept by the edge", 90), ("not delivered", 9))
    assert finding(run(Decision.INVALID, broken=("staleness",), causes=causes)) is Finding.CONVICTED


def test_a_bug_that_is_not_about_stale_reads_needs_no_cause() -> None:
    """A leak is a leak."""
    assert finding(run(Decision.INVALID, broken=("leak",)), PLANTED["user-missing"]) is Finding.CONVICTED


def test_what_could_not_be_decided_or_run_is_neither() -> None:
    """Unknown, and skipped with its reason."""
    assert finding(run(Decision.UNKNOWN)) is Finding.UNKNOWN
    line = line_of_bug(BUG, run(Decision.UNKNOWN, skipped="no such fault here"), "/runs/1")
    assert (line.finding, line.said) == (Finding.SKIPPED, "no such fault here")


def test_a_control_is_acquitted_or_accused() -> None:
    """Valid, invalid, unknown."""
    found = [line_of_control("sequenced", run(each), "").finding for each in Decision]
    assert found == [Finding.ACQUITTED, Finding.ACCUSED, Finding.UNKNOWN]


def card(*findings: Finding) -> Scorecard:
    return Scorecard(
        lines=tuple(
            Line(
                name=str(number), planted=each in (Finding.CONVICTED, Finding.ESCAPED), finding=each, wanted="", said=""
            )
            for number, each in enumerate(findings)
        )
    )


def test_one_mistake_outranks_what_is_unknown() -> None:
    """Invalid with an escape or an accusation; unknown with anything undecided, or with nothing found out at all."""
    assert card(Finding.CONVICTED, Finding.ACQUITTED, Finding.SKIPPED).decision is Decision.VALID
    assert card(Finding.CONVICTED, Finding.UNKNOWN).decision is Decision.UNKNOWN
    assert card(Finding.CONVICTED, Finding.UNKNOWN, Finding.ACCUSED).decision is Decision.INVALID
    assert card(Finding.ESCAPED).decision is Decision.INVALID
    assert card(Finding.SKIPPED).decision is Decision.UNKNOWN


def test_the_banner_counts() -> None:
    """Skipped ones apart."""
    found = card(Finding.CONVICTED, Finding.ESCAPED, Finding.ACQUITTED, Finding.SKIPPED).banner
    assert found == "convicted 1 of 2 planted bugs, acquitted 1 of 1 controls, skipped 1"
