"""Metrics: what one worker counts, and what all workers of a node add up to.

    requests, latency, cache reads by layer and reason, invalidations ──▶ one file per process ──▶ GET /metrics

What always holds: a scrape of any worker shows the whole node (prometheus_client's multiprocess mode, where
`PROMETHEUS_MULTIPROC_DIR` is set). Labels come from closed sets: routes by their rule, never by their path; layers and
reasons by their words in RFC 9211; so no client can make a series of its own.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from tocsin.prometheus import PrometheusObserver

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

    def started(self) -> None:
        """Count this process among the living workers; gunicorn's `child_exit` takes it out again."""
        self._workers.set(1)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the rule that matched."""
        self._requests.labels(route, method if method in METHODS else "other", status).inc()
        self._seconds.labels(route).observe(seconds)

    def expose(self, database: Database) -> bytes:
        """The Prometheus text of the node, and how many outbox rows wait where the database can be asked."""
        registry = self._registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        text = generate_latest(registry)
        waiting = CollectorRegistry()
        waiting.register(_Outbox(database))
        return text + generate_latest(waiting)


class _Outbox(Collector):
    """Asked of the database at each scrape: no process knows it by itself."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterable[GaugeMetricFamily]:
        try:
            with self._database.reading() as session:
                waiting = session.scalar(
                    select(func.count()).select_from(OutboxRow).where(OutboxRow.acknowledged.is_(False))
                )
        except DatabaseUnavailable:
            return []
        text = "Committed writes that the other nodes may not know of yet."
        return [GaugeMetricFamily("catalog_outbox_waiting", text, value=float(waiting or 0))]
