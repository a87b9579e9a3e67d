"""The Prometheus rim: what happened is counted, under labels that no key can multiply."""

from __future__ import annotations

from prometheus_client import CollectorRegistry
from tocsin import Answer, Layer, Names, Step, Tally
from tocsin.prometheus import PrometheusObserver

COLD = Answer(
    b"v", 1, Layer.DATABASE, (Step(Layer.L2, False, "uri-miss"), Step(Layer.L1, False, "stale", None, "version"))
)
WARM = Answer(b"v", 1, Layer.L1, (Step(Layer.L1, True, ttl_s=1.0),))
JOINED = Answer(b"v", 1, Layer.DATABASE, (Step(Layer.L2, False, "uri-miss"),), joined=True)


def test_reads_are_counted_by_layer_and_misses_by_cause() -> None:
    """A cold, a warm and a joined read; the levels that could not answer, each with its cause."""
    registry = CollectorRegistry()
    observer = PrometheusObserver(registry)
    for answer in (COLD, WARM, WARM, JOINED):
        observer.read(answer, 0.003)

    def value(name: str, **labels: str) -> float | None:
        return registry.get_sample_value(name, labels)

    assert value("tocsin_reads_total", layer="database", joined="no") == 1
    assert value("tocsin_reads_total", layer="database", joined="yes") == 1
    assert value("tocsin_reads_total", layer="l1", joined="no") == 2
    assert value("tocsin_read_seconds_count", layer="l1") == 2
    assert value("tocsin_misses_total", layer="l2", cause="cold") == 2
    assert value("tocsin_misses_total", layer="l1", cause="version") == 1


def test_invalidations_and_events_are_counted_without_their_names() -> None:
    """A thousand keys make one time series."""
    registry = CollectorRegistry()
    observer = PrometheusObserver(registry)
    for number in range(1000):
        observer.invalidated(Names(keys=(f"product:{number}",)), "backplane")
    observer.backplane("subscribed")
    assert registry.get_sample_value("tocsin_invalidations_total", {"source": "backplane"}) == 1000
    assert registry.get_sample_value("tocsin_backplane_events_total", {"event": "subscribed"}) == 1
    assert len([sample for metric in registry.collect() for sample in metric.samples]) < 10


def test_a_tally_counts_for_people() -> None:
    """The simple observer: how many reads each layer answered, and how many joined."""
    tally = Tally()
    for answer in (COLD, WARM, WARM, JOINED):
        tally.read(answer, 0.003)
    assert tally.counts() == {"l1": 2, "l2": 0, "database": 2, "joined": 1}
