"""Prometheus: the observer that counts for `/metrics`, and what is asked at each scrape; needs `tocsin[prometheus]`.

    reads, loads, … ── PrometheusObserver ──▶ counters of this process ┐ one file
    every second ───── VitalsGauges ────────▶ gauges of this process   ┤ a process ──▶ GET /metrics of any worker
    agent's diary, hit rate ── NodeCollector, at the scrape ───────────┘

docs/monitoring.md lists every metric; a test keeps it true. What always holds: labels come from the library's own small
vocabularies, from the sources and workers that the application names, and never from keys. With prometheus-client's
multi-process mode the numbers of all workers of a node add up, and a dead worker's gauges are gone.
"""

from collections import Counter as Tallies
from collections.abc import Iterable, Mapping

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from tocsin.diary import LAG_BUCKETS_S, Page
from tocsin.entry import Answer, Step
from tocsin.hit_rate import Grade, HitRate
from tocsin.names import Names
from tocsin.observer import LoadOutcome, Spared
from tocsin.position import counter_of
from tocsin.vitals import Vitals

_READ_BUCKETS_S = (0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
_LOAD_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class PrometheusObserver:
    """Counts into `registry`, which is prometheus-client's own unless another is given."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._reads = Counter("tocsin_reads", "Reads, by who answered.", ("layer", "joined"), registry=registry)
        self._seconds = Histogram(
            "tocsin_read_seconds",
            "Duration of reads, loading included.",
            ("layer",),
            registry=registry,
            buckets=_READ_BUCKETS_S,
        )
        self._misses = Counter(
            "tocsin_misses", "Levels that could not answer a read, and why.", ("layer", "cause"), registry=registry
        )
        self._loads = Counter("tocsin_loads", "Loads, by their outcome.", ("source", "outcome"), registry=registry)
        self._load_seconds = Histogram(
            "tocsin_load_seconds", "Duration of loads.", ("source",), registry=registry, buckets=_LOAD_BUCKETS_S
        )
        self._spared = Counter(
            "tocsin_spared_loads",
            "Loads that a stampede would have made, and did not.",
            ("how",),
            registry=registry,
        )
        self._invalidations = Counter(
            "tocsin_invalidations", "Invalidations made or heard.", ("source",), registry=registry
        )
        self._events = Counter(
            "tocsin_backplane_events", "What happened to the listener.", ("event",), registry=registry
        )

    def read(self, answer: Answer, seconds: float) -> None:
        """Count one read and the levels that it passed."""
        layer = answer.layer.value
        self._reads.labels(layer, "yes" if answer.joined else "no").inc()
        self._seconds.labels(layer).observe(seconds)
        self.missed(answer.steps)

    def missed(self, steps: tuple[Step, ...]) -> None:
        """Count the levels that could not answer."""
        for step in steps:
            if not step.hit:
                self._misses.labels(step.layer.value, step.cause).inc()

    def loaded(self, source: str, seconds: float, outcome: LoadOutcome) -> None:
        """Count one load, or one that was refused."""
        self._loads.labels(source, outcome.value).inc()
        self._load_seconds.labels(source).observe(seconds)

    def spared(self, how: Spared) -> None:
        """Count one load that was not made."""
        self._spared.labels(how.value).inc()

    def glanced(self, hits: int) -> None:
        """Count hits of L1 that took the shortest way; their duration is too short to be worth a clock."""
        self._reads.labels("l1", "no").inc(hits)

    def invalidated(self, names: Names, source: str) -> None:  # noqa: ARG002  # names would make labels without bound
        """Count one invalidation."""
        self._invalidations.labels(source).inc()

    def backplane(self, event: str) -> None:
        """Count one event of the listener."""
        self._events.labels(event).inc()


class VitalsGauges:
    """How each worker is, by its name; shown every second by `tocsin.vitals.Monitor`."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, ("worker",), registry=registry, multiprocess_mode="livemostrecent")

        self._hears = gauge("tocsin_hears", "Whether invalidations arrive at the worker: 1 or 0.")
        self._bound = gauge(
            "tocsin_staleness_bound_seconds", "For how long an answer given now may have been untrue, at most."
        )
        self._lease = gauge("tocsin_lease_seconds", "What is left of the lease under which L1 may be used.")
        self._sequence = gauge("tocsin_sequence", "The last invalidation that was applied.")
        self._epoch = gauge("tocsin_epoch", "The ordering part of the epoch to which the sequence belongs.")
        self._entries = gauge("tocsin_l1_entries", "Entries in the worker's L1.")
        self._bytes = gauge("tocsin_l1_bytes", "Bytes in the worker's L1.")

    def show(self, worker: str, vitals: Vitals) -> None:
        """Set the gauges of one worker."""
        self._hears.labels(worker).set(vitals.hears)
        self._bound.labels(worker).set(vitals.staleness_bound_s)
        self._entries.labels(worker).set(vitals.l1_entries)
        self._bytes.labels(worker).set(vitals.l1_bytes)
        if vitals.position is not None:
            self._lease.labels(worker).set(max(0.0, vitals.lease_s or 0.0))
            self._sequence.labels(worker).set(vitals.position.sequence)
            self._epoch.labels(worker).set(counter_of(vitals.position.epoch))


def hit_rate_of(metrics: Iterable[Metric]) -> HitRate:
    """Return the hit rate in what a registry has collected, of however many processes."""
    reads: Mapping[str, float] = Tallies()
    causes: Mapping[tuple[str, str], float] = Tallies()
    for sample in (sample for metric in metrics for sample in metric.samples):
        if sample.name == "tocsin_reads_total":
            reads[sample.labels["layer"]] += sample.value  # type: ignore[index]
        elif sample.name == "tocsin_misses_total":
            causes[sample.labels["layer"], sample.labels["cause"]] += sample.value  # type: ignore[index]
    return HitRate(sum(reads.values()), reads["l1"], reads["l2"], dict(causes))


class NodeCollector(Collector):
    """What is known of the node as a whole at a scrape: its hit rate, and what its agent has counted, if it has one."""

    def __init__(self, rate: HitRate, page: Page | None) -> None:
        self._rate = rate
        self._page = page

    def collect(self) -> Iterable[Metric]:
        """Return the families; nothing that was not counted."""
        rate = self._rate
        if rate.ratio is not None:
            ratio = GaugeMetricFamily(
                "tocsin_hit_ratio", "Part of all reads since the start that these levels answered.", labels=("layers",)
            )
            ratio.add_metric(("l1",), rate.l1 / rate.reads)
            ratio.add_metric(("l1+l2",), rate.ratio)
            grade = GaugeMetricFamily("tocsin_hit_grade", "1 for what the hit ratio is worth.", labels=("grade",))
            for each in Grade:
                grade.add_metric((each.value,), float(each is rate.grade))
            yield from (ratio, grade)
        if self._page is not None:
            yield from _agent(self._page)


def _agent(page: Page) -> Iterable[Metric]:
    so_far, buckets = 0, []
    for bound, number in zip((*map(str, LAG_BUCKETS_S), "+Inf"), page.lags, strict=True):
        so_far += number
        buckets.append((bound, so_far))
    yield HistogramMetricFamily(
        "tocsin_invalidation_lag_seconds",
        "From the sending of a canary by the node's agent to its coming back through Redis.",
        buckets=buckets,
        sum_value=page.lag_sum_s,
    )
    for name, text, number in (
        ("tocsin_gaps", "Gaps in what the agent was told, repaired from the log.", page.gaps),
        ("tocsin_flushes", "Times that the agent forgot everything.", page.flushes),
        ("tocsin_relayed", "Rows of the outbox that the agent finished again.", page.relayed),
    ):
        yield CounterMetricFamily(name, text, value=number)
