"""Metrics: what one worker counts, and what all workers of a node add up to.

    requests, reads, misses, loads, … ──▶ one file per process ──▶ GET /metrics of any worker
    agent's diary, outbox, journal, the database's own cache ── asked at the scrape ──┘

docs/monitoring.md lists every metric. What always holds: a scrape of any worker shows the whole node (the multiprocess
mode of prometheus_client, where `PROMETHEUS_MULTIPROC_DIR` is set). Labels come from closed sets: routes by their rule,
never by their path; layers and causes by the library's words; so no client can make a series of its own. What can't be
asked at a scrape is left out, and the scrape succeeds.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from tocsin import Cache, Unavailable, WritePath
from tocsin.agent.node import page_of
from tocsin.prometheus import NodeCollector, PrometheusObserver, VitalsGauges, hit_rate_of
from tocsin.vitals import Monitor, vitals_of

from catalog.database import Database
from catalog.errors import DatabaseUnavailable
from catalog.models import OutboxRow

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class Metrics:
    """The counters of this process, and the view over those of its node."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.observer = PrometheusObserver(self._registry)
        self._vitals = VitalsGauges(self._registry)
        self._monitor: Monitor | None = None
        self._requests = Counter(
            "catalog_requests", "Requests answered.", ("route", "method", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "catalog_request_seconds",
            "From the first byte of a request to its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._workers = Gauge(
            "catalog_workers", "Workers that live.", registry=self._registry, multiprocess_mode="livesum"
        )

    def start(self, name: str, cache: Cache) -> None:
        """Count this process among the living workers, and show how it is every second, until `stop`.

        gunicorn's `child_exit` takes a dead worker's gauges away.
        """
        self._workers.set(1)
        self._monitor = Monitor(lambda: self._vitals.show(name, vitals_of(cache)))
        self._monitor.start()

    def stop(self) -> None:
        """Show no more."""
        monitor, self._monitor = self._monitor, None
        if monitor is not None:
            monitor.stop()

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the rule that matched."""
        self._requests.labels(route, method if method in METHODS else "other", status).inc()
        self._seconds.labels(route).observe(seconds)

    def expose(self, database: Database, cache: Cache) -> bytes:
        """The Prometheus text of the node, with what can be asked of its agent, the database and Redis now."""
        registry = self._registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        asked = CollectorRegistry()
        asked.register(NodeCollector(hit_rate_of(registry.collect()), page_of(cache.settings)))
        asked.register(_Waiting(database, cache))
        return generate_latest(registry) + generate_latest(asked)


class _Waiting(Collector):
    """Asked at each scrape: no process knows it by itself."""

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    def collect(self) -> Iterable[Metric]:
        try:
            with self._database.reading() as session:
                waiting = session.scalar(
                    select(func.count()).select_from(OutboxRow).where(OutboxRow.acknowledged.is_(False))
                )
            text = "Committed writes that the other nodes may not know of yet."
            yield GaugeMetricFamily("catalog_outbox_waiting", text, value=float(waiting or 0))
            if (ratio := self._database.own_hit_ratio()) is not None:
                text = "Part of the pages that the database had in its own memory, since it started."
                yield GaugeMetricFamily("catalog_database_hit_ratio", text, value=ratio)
        except DatabaseUnavailable:
            pass
        if self._cache.settings.write_path is WritePath.WRITE_BEHIND:
            try:
                dirty = self._cache.waiting()
            except Unavailable:
                return
            text = "Acknowledged writes that the database does not have yet."
            yield GaugeMetricFamily("catalog_dirty_writes_waiting", text, value=float(dirty))
