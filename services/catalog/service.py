"""Service: one process's share of the shop: its name, its database connections, its cache, its write path.

    master: create_application ──▶ Service(settings)        nothing is opened
    fork
    worker: service.start("node-1/worker-1") ──▶ Worker     database and cache of this process alone

What always holds: before `start` there is neither a cache nor a database to use, so nothing can be opened too early
and inherited over a fork (hazard 34). A process starts once, under the one name that its answers carry.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Protocol

import structlog
from flask import Flask
from msgspec.structs import replace
from tocsin import Cache, Observer, WritePath
from tocsin.observing import Several

from catalog.behind import BehindWrites
from catalog.database import Database
from catalog.examined import cache_of
from catalog.logs import identify
from catalog.metrics import Metrics
from catalog.operation import Writes
from catalog.settings import Settings
from catalog.writes import DirectWrites

EXTENSION = "catalog"
log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """Everything that a request needs of its process. `name` is `node-1/worker-1`."""

    node: str
    name: str
    settings: Settings
    database: Database
    cache: Cache
    writes: Writes
    metrics: Metrics


class Service:
    """The holder of this process's worker."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.metrics = Metrics()
        self._worker: Worker | None = None

    def start(self, name: str) -> Worker:
        """Become the worker `name`. Call it once, in the process that will serve, after any fork."""
        assert self._worker is None, f"this process is {self._worker.name if self._worker else ''} already"
        settings = self.settings
        identify(worker=name)
        database = Database(settings.database_url)
        cache = cache_of(replace(settings.cache, node=name), settings.secret, observer=_observers(self.metrics))
        behind = settings.cache.write_path is WritePath.WRITE_BEHIND
        writes: Writes = (BehindWrites if behind else DirectWrites)(database, cache, node=settings.node)
        cache.start()
        self.metrics.start(name, cache)
        self._worker = Worker(
            node=settings.node,
            name=name,
            settings=settings,
            database=database,
            cache=cache,
            writes=writes,
            metrics=self.metrics,
        )
        log.info("started", strategy=settings.cache.strategy.value, write_path=settings.cache.write_path.value)
        return self._worker

    def stop(self) -> None:
        """End the listener and close the connections, within two seconds. Without a start it does nothing."""
        if self._worker is not None:
            self.metrics.stop()
            self._worker.cache.stop()
            self._worker.database.close()
            self._worker = None

    @property
    def worker(self) -> Worker:
        """The worker that this process is."""
        assert self._worker is not None, "Service.start was not called in this process"
        return self._worker


def _observers(metrics: Metrics) -> Observer:
    """Return who watches the cache: the metrics, and traces where OpenTelemetry is installed."""
    if importlib.util.find_spec("opentelemetry") is None:
        return metrics.observer
    from tocsin.opentelemetry import OpenTelemetryObserver

    return Several((metrics.observer, OpenTelemetryObserver()))


class Lifecycle(Protocol):
    """What gunicorn starts in each of its workers, whichever application it serves."""

    def start(self, name: str) -> object:
        """Become the worker `name`, after the fork."""

    def stop(self) -> None:
        """Close what `start` opened."""


def lifecycle_of(application: Flask) -> Lifecycle:
    """What is to be started for an application: the catalogue's service, or that of a shop on another cache."""
    lifecycle: Lifecycle = application.extensions[EXTENSION]
    return lifecycle


def service_of(application: Flask) -> Service:
    """The service that an application serves."""
    service = application.extensions[EXTENSION]
    assert isinstance(service, Service)
    return service
