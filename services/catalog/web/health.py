"""Health: is this process alive, is it ready, and what has its node counted.

What always holds: `/healthz` asks nobody, so that a process which merely lost its Redis is not restarted for it;
`/readyz` names what is wrong with each thing that it depends on.
"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response
from flask.typing import ResponseReturnValue
from msgspec import Struct

from catalog.errors import DatabaseUnavailable
from catalog.web.answer import JSON, worker
from catalog.web.cache_class import CacheClass, cached

routes = Blueprint("health", __name__)


class Check(Struct, frozen=True):
    """One thing that readiness needs, and a sentence about it."""

    ok: bool
    detail: str


class Readiness(Struct, frozen=True):
    """The answer of `/readyz`."""

    ready: bool
    node: str
    worker: str
    strategy: str
    checks: dict[str, Check]


@routes.get("/healthz")
@cached(CacheClass.NO_STORE)
def alive() -> ResponseReturnValue:
    """The process answers."""
    return Response(msgspec.json.encode({"status": "ok"}), content_type=JSON)


@routes.get("/readyz")
@cached(CacheClass.NO_STORE)
def ready() -> ResponseReturnValue:
    """200 if everything that this worker depends on is there, else 503; the same body either way."""
    me = worker()
    hearing = me.cache.hearing()
    redis = me.cache.ping()
    checks = {
        "database": _database(),
        "redis": Check(redis, "answers" if redis else "does not answer"),
        "backplane": Check(hearing.hears, hearing.detail),
    }
    state = Readiness(
        ready=all(check.ok for check in checks.values()),
        node=me.node,
        worker=me.name,
        strategy=me.settings.cache.strategy.value,
        checks=checks,
    )
    return Response(msgspec.json.encode(state), status=200 if state.ready else 503, content_type=JSON)


@routes.get("/metrics")
@cached(CacheClass.NO_STORE)
def metrics() -> ResponseReturnValue:
    """Prometheus text: all workers of this node together."""
    me = worker()
    return Response(me.metrics.expose(me.database, me.cache), content_type="text/plain; version=1.0.0; charset=utf-8")


def _database() -> Check:
    database = worker().database
    try:
        database.probe()
    except DatabaseUnavailable as error:
        return Check(False, str(error))
    return Check(True, f"{database.kind} answers")
