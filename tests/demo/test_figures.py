"""The demo's numbers, from histories of a few lines whose numbers can be counted by hand."""

from __future__ import annotations

import pytest

from cluster.demo.figures import figures_of, quantile
from cluster.history.operation import Layer
from tests.checker.notation import MS, history

W1 = "via=node-1/worker-1"
TEXT = f"""
baseline x=1
s1 read x=1 0..4 layer=edge op=-
- read x=1 10..12 {W1} layer=l1 op=-
s2 write x=2 20..30
s1 read x=1 35..37 layer=edge op=-
- read x=2 40..48 {W1} layer=database
s2 read x=2 60..61 layer=l2 phase=fault
- read x=2 70..71 {W1} fail error=refused phase=fault
s3 write x=3 80.. info error=status-504 phase=fault
s4 write x=3 90..99 fail error=status-412 phase=fault
- read x=2 900..901 {W1} phase=final
s1 read x=2 900..901 phase=final
audit x=2
audited
"""


def test_requests_are_counted_by_the_way_they_took() -> None:
    """Reads through the edge, reads of single workers, writes; the final reads are no traffic."""
    found = figures_of(history(TEXT))
    assert (found.edge.asked, found.workers.asked, found.writes.asked) == (3, 3, 3)
    assert (found.edge.answered, found.workers.answered, found.writes.answered) == (3, 2, 1)
    assert (found.requests, found.writes.unknown) == (9, 1)


def test_layers_are_those_of_the_answers() -> None:
    """Who answered, by way."""
    found = figures_of(history(TEXT))
    assert found.edge.layers == {Layer.EDGE: 2, Layer.L2: 1}
    assert found.workers.layers == {Layer.L1: 1, Layer.DATABASE: 1}


def test_stale_reads_are_counted_by_the_way_they_took() -> None:
    """The edge answered an old version 5 ms after the write; no worker did."""
    found = figures_of(history(TEXT))
    assert (found.edge.judged, found.edge.stale, found.workers.stale) == (3, 1, 0)
    assert found.edge.worst is not None
    assert (found.edge.worst.at_least_ns, found.edge.worst.at_most_ns) == (5 * MS, 17 * MS)
    assert found.workers.worst is None


def test_convergence_is_the_workers_own() -> None:
    """What the edge keeps does not make the workers late."""
    found = figures_of(history(TEXT))
    assert list(found.worker_convergence.after_ns) == [0]
    assert [each // MS for each in found.judgement.convergence.after_ns] == [0, 5]


def test_latency_counts_only_what_was_answered() -> None:
    """4, 2 and 1 ms through the edge."""
    found = figures_of(history(TEXT))
    assert (found.edge.latency.p50_ns, found.edge.latency.p99_ns) == (2 * MS, 4 * MS)
    assert found.writes.latency.p50_ns == 10 * MS


def test_a_history_without_traffic_has_figures_too() -> None:
    """Ctrl-C in the first instant."""
    found = figures_of(history("baseline x=1"))
    assert (found.requests, found.origin_ns, found.edge.latency.p99_ns) == (0, 0, 0)


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 10), (0.25, 10), (0.26, 20), (0.5, 20), (0.75, 30), (0.99, 40), (1.0, 40)]
)
def test_a_quantile_is_one_of_the_values(share: float, value: int) -> None:
    """The smallest that at least this share does not exceed."""
    assert quantile([10, 20, 30, 40], share) == value
    assert quantile([], share) == 0
