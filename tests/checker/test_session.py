"""What a session may expect of its own order."""

from __future__ import annotations

from cluster.checker.anomaly import WentBack
from cluster.checker.register import registers
from cluster.checker.session import monotonic_reads, read_your_writes
from cluster.checker.verdict import Decision, Verdict
from tests.checker.notation import history

WRITES = "w write x=1 0..1\nw write x=2 2..3\n"


def monotonic(text: str) -> Verdict:
    return monotonic_reads(registers(history(text)))


def own_writes(text: str) -> Verdict:
    return read_your_writes(registers(history(text)))


def test_a_session_that_is_shown_new_then_old_went_back() -> None:
    """The older answer is the anomaly, the newer one its evidence."""
    found = monotonic(WRITES + "a read x=2 4..5\na read x=1 6..7")
    assert found.decision is Decision.INVALID
    (anomaly,) = found.anomalies
    assert isinstance(anomaly, WentBack)
    assert (anomaly.seen.version, anomaly.read.version) == (2, 1)
    assert found.witness() == (
        "session a had been shown version 2 of x by 0.005 s (#3); its read through edge (#4), begun at 0.006 s, "
        "returned version 1"
    )


def test_what_another_session_saw_is_no_promise_to_this_one() -> None:
    """Order is promised to each session alone."""
    assert monotonic(WRITES + "a read x=2 4..5\nb read x=1 6..7\na read x=2 8..9").decision is Decision.VALID


def test_a_stale_read_may_still_be_monotonic() -> None:
    """Old, then old again, breaks no order."""
    assert monotonic(WRITES + "a read x=1 4..5\na read x=1 6..7").decision is Decision.VALID


def test_two_reads_of_a_session_at_once_are_concurrent() -> None:
    """A browser asks for several things at once; equal stamps count as at once."""
    assert monotonic(WRITES + "a read x=2 4..8\na read x=1 8..9\na read x=2 9..9").found == 0


def test_the_past_is_the_highest_version_and_not_the_last() -> None:
    """A session that went back once does not forget what it had seen before."""
    assert monotonic(WRITES + "a read x=2 4..5\na read x=1 6..7\na read x=1 8..9").found == 2


def test_operations_without_a_session_are_nobodys() -> None:
    """Probes of single workers follow no one."""
    assert monotonic(WRITES + "- read x=2 4..5\n- read x=1 6..7").decision is Decision.UNKNOWN


def test_a_session_that_does_not_see_its_own_write_went_back() -> None:
    """Read your writes: the write's acknowledgement is the promise."""
    found = own_writes("a write x=1 0..10\na read x=0 20..21")
    assert found.decision is Decision.INVALID
    assert "session a had been told that its own write became version 1 of x" in found.witness()


def test_a_write_promises_nothing_before_it_is_acknowledged() -> None:
    """Neither while it is under way, nor where its end is unknown, nor where it was refused."""
    assert own_writes("a write x=1 0..10\na read x=0 10..11").decision is Decision.UNKNOWN
    assert own_writes("a write x=1 0.. info\na read x=0 20..21").decision is Decision.UNKNOWN
    assert own_writes("a write x=1 0..10 fail\na read x=0 20..21").decision is Decision.UNKNOWN


def test_somebody_elses_write_is_not_ones_own() -> None:
    """A stale read of another's write breaks `regular`, not this."""
    assert own_writes("a write x=1 0..10\nb write y=1 0..1\nb read x=0 20..21").decision is Decision.UNKNOWN


def test_newer_than_ones_own_write_is_fine() -> None:
    """Somebody may have written since."""
    found = own_writes("a write x=1 0..10\nb write x=2 11..12\na read x=2 20..21")
    assert (found.decision, found.checked) == (Decision.VALID, 1)
