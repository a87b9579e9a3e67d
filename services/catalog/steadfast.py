"""Steadfast: Celery's worker, consumer and scheduler, made to go on by themselves when Redis comes back.

Celery's own go on too, but after an outage of a minute they wait up to half a minute more, and until then each log line
comes with fifty lines of somebody else's stack. And its workers talk to each other, over one more connection each that
can hang. What always holds: an outage is tried again every second, and said in one line.
"""

from __future__ import annotations

from typing import Any

import structlog
from celery.apps.worker import Worker
from celery.beat import Scheduler, SchedulingError
from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown

AGAIN_AFTER_S = 1
log = structlog.get_logger()


class QuietWorker(Worker):  # type: ignore[misc]
    """The worker without the talk between workers."""

    def setup_instance(self, **options: Any) -> None:
        """Leave out what `--without-gossip` and its like leave out on the command line."""
        alone = {"without_gossip": True, "without_mingle": True, "without_heartbeat": True}
        super().setup_instance(**(options | alone))


class SteadyConsumer(Consumer):  # type: ignore[misc]
    """The consumer that never waits longer than a second before it tries again."""

    def ensure_connected(self, conn: Any) -> Any:
        """Return `conn` once it is connected; leaves by Celery's own exceptions when the worker is to end."""
        return conn.ensure_connection(
            _say, None, interval_start=AGAIN_AFTER_S, interval_step=0, callback=maybe_shutdown
        )


class PlainScheduler(Scheduler):  # type: ignore[misc]
    """The scheduler that keeps nothing on disk and lets a turn go by that can't be queued: the next does as much."""

    def apply_entry(self, entry: Any, producer: Any = None) -> None:
        """Queue one turn of a task."""
        try:
            self.apply_async(entry, producer=producer, advance=False)
        except SchedulingError as error:
            log.warning("turn skipped", task=entry.name, reason=str(error))


def _say(error: Exception, interval_s: float) -> None:
    log.warning("waiting for Redis", reason=str(error), again_after_s=interval_s)
