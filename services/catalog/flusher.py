"""Flusher: the Celery worker that ends what the web workers began: `celery -A catalog.flusher worker`.

    beat thread ── every 0.5 s ──▶ Redis queue ──▶ this worker ─┬─ relay: outbox ──▶ invalidations
                                                                └─ drain: journal ──▶ database   (write-behind)

What always holds:
- Every task may be lost, repeated or run by two flushers at once: what is left to do stands in the database and in the
  journal, and a task only looks there. So no task is retried, and one that waited too long is dropped.
- A Redis that restarts, or does not answer for a while, stops the flusher for as long and a second, not for good. Its
  connections have time-outs, and a blocking read that stays unanswered is given up (kombu's health check): without it
  a half-open connection would be waited on for ever.
- It is one small process: the solo pool forks nothing, and the beat is a thread that keeps no schedule file.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from celery import Celery, signals
from celery.beat import EmbeddedService
from tocsin import Unavailable, WritePath

from catalog import logs
from catalog.database import Database
from catalog.drain import drain
from catalog.errors import DatabaseUnavailable, OutcomeUnknown
from catalog.examined import cache_of
from catalog.relay import forget, relay_of
from catalog.settings import Settings, from_environment
from catalog.steadfast import PlainScheduler, QuietWorker, SteadyConsumer

EVERY_S = 0.5
FORGET_EVERY_S = 3600.0
log = structlog.get_logger()

_settings = from_environment(Settings)
_database = Database(_settings.database_url)
_cache = cache_of(_settings.cache, _settings.secret)
_relay = relay_of(_cache)
_turns_s = {"relay": EVERY_S, "forget": FORGET_EVERY_S}
if _settings.cache.write_path is WritePath.WRITE_BEHIND:
    _turns_s["drain"] = EVERY_S


application = Celery("catalog", set_as_current=False)
application.Worker = application.subclass_with_self(QuietWorker)
application.conf.update(
    broker_url=_settings.redis_url,
    broker_transport_options={
        "global_keyprefix": "tocsin:{catalog}:celery:",
        "socket_connect_timeout": 1.0,
        "socket_timeout": 2.0,
        "health_check_interval": 2,
        "visibility_timeout": 30,
    },
    worker_consumer=SteadyConsumer,
    worker_pool="solo",
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    task_ignore_result=True,
    task_acks_late=True,
    task_publish_retry=False,
    task_serializer="json",
    accept_content=["json"],
    beat_schedule={
        name: {"task": f"catalog.{name}", "schedule": every_s, "options": {"expires": every_s * 4}}
        for name, every_s in _turns_s.items()
    },
)


@application.task(name="catalog.relay")  # type: ignore[untyped-decorator]
def relay_once() -> None:
    """Finish committed writes whose writer could not."""
    _relay.attempt()


@application.task(name="catalog.drain")  # type: ignore[untyped-decorator]
def drain_once() -> None:
    """Bring write-behind's operations into the database."""
    _attempt("drain", lambda: drain(_database, _cache))


@application.task(name="catalog.forget")  # type: ignore[untyped-decorator]
def forget_once() -> None:
    """Remove day-old outbox rows and retry keys."""
    _attempt("forget", lambda: forget(_database, now=time.time()))


def _attempt(name: str, step: Callable[[], object]) -> None:
    try:
        step()
    except (Unavailable, DatabaseUnavailable, OutcomeUnknown) as error:
        log.warning(f"{name} put off", reason=str(error))


@signals.setup_logging.connect  # type: ignore[untyped-decorator]
def _log(**_: object) -> None:
    """Connected, so that Celery leaves the logging as it is set up here."""
    logs.configure(_settings.log_format, node=_settings.node)


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def _begin(sender: Any, **_: object) -> None:
    sender.controller.beat = EmbeddedService(application, thread=True, scheduler_cls=PlainScheduler)
    sender.controller.beat.start()
    log.info("ready", write_path=_settings.cache.write_path.value)
