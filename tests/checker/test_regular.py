"""Regular: the stale read, by an acknowledged write."""

from __future__ import annotations

from cluster.checker.anomaly import StaleRead
from cluster.checker.register import registers
from cluster.checker.regular import regular
from cluster.checker.verdict import Decision, Verdict
from tests.checker.notation import MS, history


def verdict(text: str, *, reads_min: int = 1) -> Verdict:
    return regular(registers(history(text)), reads_min=reads_min)


def test_a_read_after_a_newer_write_is_stale() -> None:
    """A read that starts 15 ms after a newer write returned is stale by 15 ms, and by 30 ms at most."""
    found = verdict("a write x=1 0..10\nb read x=0 25..30")
    assert found.decision is Decision.INVALID
    (stale,) = found.anomalies
    assert isinstance(stale, StaleRead)
    assert (stale.at_least_ns, stale.at_most_ns) == (15 * MS, 30 * MS)
    assert stale.newer is not None
    assert stale.newer.version == 1


def test_a_read_that_overlaps_the_write_may_return_either() -> None:
    """Concurrent means free, and equal stamps are concurrent."""
    assert verdict("a write x=1 0..10\nb read x=0 10..12\nb read x=1 1..2").decision is Decision.VALID


def test_a_write_of_unknown_end_condemns_nobody() -> None:
    """It may not have landed yet, even where it is known to have landed at last."""
    assert verdict("a write x=1 0.. info\nb read x=0 25..30\naudit x=1\naudited").decision is Decision.VALID


def test_a_refused_write_condemns_nobody() -> None:
    """It never happened."""
    assert verdict("a write x=1 0..10 fail\nb read x=0 25..30").decision is Decision.VALID


def test_new_then_old_is_not_a_stale_read() -> None:
    """Without an acknowledged write, two readers that disagree break linearizability only."""
    assert verdict("a write x=1 0..40\nb read x=1 5..6\nc read x=0 10..11").decision is Decision.VALID


def test_what_was_there_before_the_run_condemns_too() -> None:
    """A version below the baseline is stale from the time at which the baseline was known."""
    found = verdict("baseline x=7\nb read x=5 20..21")
    assert found.found == 1
    assert "a newer version was committed before the run began" in found.witness()


def test_the_earliest_newer_write_counts() -> None:
    """Staleness runs from the first acknowledged version that the read should have known."""
    found = verdict("a write x=1 0..10\na write x=2 11..20\nb read x=0 25..30").anomalies[0]
    assert isinstance(found, StaleRead)
    assert found.at_least_ns == 15 * MS


def test_a_404_for_something_that_exists_is_stale() -> None:
    """Version 0 is that of what is not there."""
    found = verdict("a write x=1 0..10\nb read x=0 25..30 status=404")
    assert "returned no such thing (404)" in found.witness()


def test_keys_are_judged_apart() -> None:
    """A write to one key says nothing of another."""
    assert verdict("a write x=1 0..10\nb read y=0 25..30").decision is Decision.VALID


def test_too_few_reads_prove_nothing() -> None:
    """The vacuity gate: below the minimum the verdict is unknown, but an anomaly convicts all the same."""
    assert verdict("b read x=0 1..2", reads_min=2).decision is Decision.UNKNOWN
    assert verdict("b read x=0 1..2", reads_min=1).decision is Decision.VALID
    assert verdict("a write x=1 0..10\nb read x=0 25..30", reads_min=2).decision is Decision.INVALID


def test_only_so_much_evidence_is_kept() -> None:
    """All are counted, the stalest hundred are kept."""
    reads = "\n".join(f"b read x=0 {20 + place}..{20 + place}" for place in range(300))
    found = verdict(f"a write x=1 0..10\n{reads}")
    assert found.found == 300
    assert len(found.anomalies) == 100
    worst = found.anomalies[0]
    assert isinstance(worst, StaleRead)
    assert worst.at_least_ns == 309 * MS


def test_the_witness_names_who_what_and_when() -> None:
    """The story: what was read, from whom, what had been acknowledged, and by how much the read is late."""
    found = verdict("a write x=13 4190..4201\nb read x=12 4350..4361 via=node-2/worker-1 layer=l1 op=-\nbaseline x=12")
    assert found.witness(4_000 * MS) == (
        "session b's read of x through node-2/worker-1 (#2) began at 0.350 s and returned version 12 (it says: l1), "
        "but version 13 had been acknowledged to session a's write x13 of x through edge (#1) at 0.201 s: "
        "stale by 149.0 ms to 171.0 ms"
    )
