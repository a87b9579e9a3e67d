"""Promises, each with a history that keeps it and one that breaks it by as little as possible."""

from __future__ import annotations

import pytest

from cluster.checker.verdict import Decision
from cluster.contract.case import Case
from cluster.contract.contracts import contract_of
from cluster.contract.keeping import keep
from cluster.contract.promise import MS, Promise, Scope, When
from cluster.record.run import PromiseRecord
from tests.checker.notation import history

W1 = "via=node-1/worker-1"
SECOND = Promise(property="staleness", text="…", scope=Scope.WORKERS, bound_ns=1000 * MS)


def kept(text: str, promise: Promise) -> PromiseRecord:
    return keep(Case(history(text)), promise)


def stale_for(ms: int, *, write: str = "10..20", more: str = "") -> str:
    """A worker that answers without a write, `ms` after the write was acknowledged at 20 ms."""
    return f"baseline x=1\ns1 write x=2 {write} {more}\n- read x=1 {20 + ms}..{21 + ms} {W1} op=-"


@pytest.mark.parametrize(("ms", "found"), [(900, 0), (1020, 0), (1021, 1)])
def test_staleness_convicts_by_its_lower_bound_and_leaves_room_for_clocks(ms: int, found: int) -> None:
    """The bound of a second, and twenty milliseconds for clocks; not a millisecond more."""
    record = kept(stale_for(ms), SECOND)
    assert record.found == found
    assert record.decision is (Decision.INVALID if found else Decision.VALID)
    assert bool(record.witnesses) == bool(found)


def test_a_promise_about_workers_does_not_convict_the_edge() -> None:
    """And the other way round."""
    text = stale_for(5000).replace(W1, "via=edge") + f"\n- read x=2 9000..9001 {W1}"
    assert kept(text, SECOND).decision is Decision.VALID
    edge = Promise(property="staleness", text="…", scope=Scope.EDGE, bound_ns=1000 * MS)
    assert kept(text, edge).decision is Decision.INVALID


def test_nothing_read_is_unknown() -> None:
    """An empty history keeps every promise, and proves none."""
    assert kept("s1 write x=1 0..1", SECOND).decision is Decision.UNKNOWN


@pytest.mark.parametrize(
    ("when", "at", "decision"),
    [
        (When.HEALTH, 3000, Decision.INVALID),
        (When.HEALTH, 6000, Decision.VALID),
        (When.AFTER, 6000, Decision.VALID),
        (When.AFTER, 9000, Decision.INVALID),
    ],
)
def test_a_promise_for_a_time_judges_the_reads_of_that_time(when: When, at: int, decision: Decision) -> None:
    """Health ends with the first fault, at 5 s; after is from the heal at 8 s."""
    text = f"{stale_for(at)}\nfault kill node-1 5000..8000\n- read x=2 10..11 {W1}\n- read x=2 9500..9501 {W1}"
    promise = Promise(property="staleness", text="…", scope=Scope.WORKERS, when=when, bound_ns=1000 * MS)
    assert kept(text, promise).decision is decision


def test_delivery_is_not_late_while_the_machine_stands_still() -> None:
    """A read 1.5 s late, but the driver stood still for 800 ms of that: by the machine's own time it was in time.

    A deadline by the reader's own clock holds through a pause, and is judged without mercy.
    """
    text = stale_for(1500) + "\n- read y=0 1200..1201 late=800"
    delivery = Promise(property="staleness", text="…", scope=Scope.WORKERS, bound_ns=1000 * MS, delivery=True)
    assert kept(text, delivery).decision is Decision.VALID
    assert kept(text.replace("late=800", "late=400"), delivery).decision is Decision.INVALID
    assert kept(text, SECOND).decision is Decision.INVALID


@pytest.mark.parametrize("end", ["pending=yes", "info"])
def test_a_write_without_a_good_end_may_need_repair(end: str) -> None:
    """Somebody else tells of it, 300 ms later; of a write that ended well nobody has to."""
    promise = Promise(property="staleness", text="…", scope=Scope.WORKERS, bound_ns=1000 * MS, repair_ns=300 * MS)
    seen = f"\n- read x=2 19..20 {W1}\naudit x=2\naudited"
    for ms, decision in ((1200, Decision.VALID), (1400, Decision.INVALID)):
        assert kept(stale_for(ms, more=end, write="10..20") + seen, promise).decision is decision
    assert kept(stale_for(1200) + seen, promise).decision is Decision.INVALID


def test_what_sessions_are_not_promised_is_counted_apart() -> None:
    """A session reads its own pending write, then the version before it: excused. The same of a good write: not."""
    promise = Promise(property="read your writes", text="…")
    good = "baseline x=1\ns1 write x=2 10..20\ns1 read x=1 30..31 op=-"
    assert (kept(good, promise).found, kept(good, promise).excused) == (1, 0)
    pending = good.replace("10..20", "10..20 pending=yes")
    assert (kept(pending, promise).found, kept(pending, promise).excused) == (0, 1)
    assert kept(pending, promise).decision is Decision.VALID
    lost = good + "\nfault flush-redis redis 15..40"
    assert (kept(lost, promise).found, kept(lost, promise).excused) == (0, 1)
    later = good + "\nfault flush-redis redis 25..40"
    assert (kept(later, promise).found, kept(later, promise).excused) == (1, 0)


def test_an_excuse_does_not_hide_what_a_session_was_shown_otherwise() -> None:
    """Version 3 is excepted, version 2 is not, and the session then reads 1: that is no excuse."""
    text = "baseline x=1\ns1 write x=2 10..20\ns1 write x=3 21..29 pending=yes\ns1 read x=1 40..41 op=-"
    assert kept(text, Promise(property="read your writes", text="…")).found == 1


def test_write_behind_may_lose_what_it_declared_and_nothing_else() -> None:
    """Acknowledged shortly before Redis lost its memory: declared. Long before, or without a loss: lost."""
    promise = Promise(property="lost write", text="…", loss_window_ns=5000 * MS)
    gone = "s1 write x=1 {0}..{0}\ns1 write y=1 9500..9501\naudit y=1\naudited"
    near = kept(gone.format(9000) + "\nfault kill-redis redis 10000..12000", promise)
    assert (near.decision, near.found, near.excused) == (Decision.VALID, 0, 1)
    far = kept(gone.format(1000) + "\nfault kill-redis redis 10000..12000", promise)
    assert (far.decision, far.found) == (Decision.INVALID, 1)
    assert kept(gone.format(9000) + "\nfault kill-node node-1 10000..12000", promise).decision is Decision.INVALID


def test_what_is_void_after_a_loss_is_still_promised_without_one() -> None:
    """Strict: linearizable while Redis loses no acknowledged write."""
    promise = Promise(property="linearizable", text="…", void_after_loss=True)
    broken = "baseline x=1\ns1 write x=2 10..20\n- read x=1 30..31 op=-"
    assert kept(broken, promise).decision is Decision.INVALID
    excused = kept(broken + "\nfault flush-redis redis 5..40", promise)
    assert (excused.decision, excused.checked) == (Decision.VALID, 0)
    assert "not promised" in excused.reason


def strict_promise(database: str) -> Promise:
    """That of `strict` about every read being the last write."""
    promises = contract_of("strict", "cache-aside", {}, database=database).promises
    return next(each for each in promises if each.property == "linearizable")


@pytest.mark.parametrize(("took_ms", "excused"), [(3100, True), (2900, False)])
def test_strict_promises_nothing_of_a_writer_that_no_database_ends(took_ms: int, excused: bool) -> None:
    """A writer that stalled past its deadline commits late: one worker shows the new value, another the old one.

    On SQLite nobody can end it, and the contract says so; a database with timeouts ends it, so there it convicts.
    """
    text = f"baseline x=1\ns1 write x=2 10..{10 + took_ms}\n- read x=2 2800..2810 {W1}\n- read x=1 2820..2830 {W1} op=-"
    local = kept(text, strict_promise("sqlite"))
    assert (local.found, local.excused) == ((0, 1) if excused else (1, 0))
    assert kept(text, strict_promise("postgresql")).decision is Decision.INVALID
    assert "3 s" in strict_promise("sqlite").text
    assert "3 s" not in strict_promise("mariadb").text


def test_what_a_stalled_writer_is_excused_excuses_nobody_else() -> None:
    """Version 2 stalled; version 3 did not, and who reads 1 after that is convicted."""
    text = f"baseline x=1\ns1 write x=2 10..3500\ns2 write x=3 3600..3610\n- read x=1 3700..3701 {W1} op=-"
    assert kept(text, strict_promise("sqlite")).decision is Decision.INVALID


def test_every_promise_in_the_table_has_a_judge() -> None:
    """And a strategy that the table does not name promises what everybody does."""
    reads = f"baseline x=1\n- read x=1 1..2 {W1} op=-\n- read x=1 1..2 op=- phase=final"
    text = f"{reads}\ns1 write y=1 3..4\naudit y=1\naudited"
    for strategy in ("no-cache", "l2-only", "ttl", "pubsub", "tracking", "versioned", "sequenced", "strict", "other"):
        for path in ("cache-aside", "write-through", "write-behind"):
            contract = contract_of(strategy, path, {})
            assert contract.summary
            for promise in contract.promises:
                assert keep(Case(history(text)), promise).decision is not Decision.INVALID


def test_a_ttl_that_was_set_is_the_one_that_is_promised() -> None:
    """The bounds follow the settings of the run."""
    promises = contract_of("ttl", "cache-aside", {"TOCSIN_L1_TTL_S": "0.5", "TOCSIN_L2_TTL_S": "4"}).promises
    bounds = {each.bound_ns // MS for each in promises if each.scope is Scope.WORKERS}
    assert bounds == {500, 4500}
