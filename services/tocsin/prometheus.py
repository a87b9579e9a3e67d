"""Prometheus: the observer that counts for `/metrics`; needs the extra `tocsin[prometheus]`.

| metric | labels | what it tells |
|---|---|---|
| `tocsin_reads_total` | `layer`, `joined` | who answered; `joined` reads took another thread's load |
| `tocsin_read_seconds` | `layer` | how long a read took, loading included |
| `tocsin_passes_total` | `layer`, `reason`, `detail` | levels that could not answer, and why (RFC 9211's words) |
| `tocsin_loads_total` | `source`, `outcome` | loads by what became of them: loaded, failed, crowded, broken |
| `tocsin_spared_loads_total` | `how` | stampedes avoided: joined, waited, old, stale |
| `tocsin_invalidations_total` | `source` | invalidations made here, or heard |
| `tocsin_backplane_events_total` | `event` | the listener's ups and downs |

What always holds: labels come from the library's own small vocabularies, never from keys. With prometheus-client's
multi-process mode the numbers of all workers of a node add up.
"""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram

from tocsin.entry import Answer, Step
from tocsin.names import Names
from tocsin.observer import LoadOutcome, Spared

_READ_BUCKETS_S = (0.000_01, 0.000_05, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)


class PrometheusObserver:
    """Counts into `registry`, which is prometheus-client's own unless another is given."""

    def __init__(self, registry: CollectorRegistry = REGISTRY) -> None:
        self._reads = Counter("tocsin_reads", "Reads, by who answered.", ("layer", "joined"), registry=registry)
        self._seconds = Histogram(
            "tocsin_read_seconds", "Duration of reads.", ("layer",), registry=registry, buckets=_READ_BUCKETS_S
        )
        self._passes = Counter(
            "tocsin_passes",
            "Levels that could not answer a read.",
            ("layer", "reason", "detail"),
            registry=registry,
        )
        self._loads = Counter("tocsin_loads", "Loads, by their outcome.", ("source", "outcome"), registry=registry)
        self._spared = Counter(
            "tocsin_spared_loads", "Loads that a stampede would have made.", ("how",), registry=registry
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
                self._passes.labels(step.layer.value, step.reason, step.detail or "").inc()

    def loaded(self, source: str, seconds: float, outcome: LoadOutcome) -> None:  # noqa: ARG002  # reads are timed
        """Count one load, or one that was refused."""
        self._loads.labels(source, outcome.value).inc()

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
