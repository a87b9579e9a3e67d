"""Control routes: what the examiner asks of a node to explain a verdict, and invalidation for writers that bypass us.

What always holds: without the cluster's secret nothing here can be told from a path that does not exist; neither the
answer nor the time that the comparison takes says otherwise. nginx never routes them.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import msgspec
from flask import Blueprint, Flask, Response, request
from flask.typing import ResponseReturnValue
from msgspec import Struct
from tocsin import Names, Policy, Unavailable
from tocsin.names import check_name
from werkzeug.exceptions import NotFound

from catalog.errors import BadRequest
from catalog.examined import failpoints_of
from catalog.product import LISTS
from catalog.products import LIST, PRODUCT
from catalog.web.answer import JSON, worker
from catalog.web.body import body_of
from catalog.web.cache_class import CacheClass, cached
from catalog.web.problem import problem

if TYPE_CHECKING:
    from planted.failpoint import Failpoints

PREFIX = "/_tocsin/"
NAMES_MAX = 1000
routes = Blueprint("control", __name__, url_prefix="/_tocsin")


class Invalidation(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /_tocsin/invalidate."""

    keys: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()


def register(application: Flask) -> None:
    """Hide everything below the prefix from whoever lacks the secret, also wrong methods and unknown paths."""
    application.before_request(_guard)


@routes.get("/entry")
@cached(CacheClass.NO_STORE)
def entry() -> ResponseReturnValue:
    """What both levels hold of a key at this worker: `{key, l1, l2}`, null for nothing that a read would use."""
    key = request.args.get("key", "")
    policy: Policy = LIST if key.startswith("products:") else PRODUCT
    try:
        peek = worker().cache.peek(check_name(key), policy)
    except ValueError as error:
        raise BadRequest(400, f"key: {error}", field="key") from None
    except Unavailable as error:
        return problem(503, f"Redis can't be asked: {error}")
    return _json({"key": key, "l1": peek.l1, "l2": peek.l2})


@routes.get("/state")
@cached(CacheClass.NO_STORE)
def state() -> ResponseReturnValue:
    """The worker as it sees itself; a namespace's version is null while Redis can't be asked."""
    me = worker()
    hearing = me.cache.hearing()
    try:
        version = me.cache.version(LISTS)
    except Unavailable:
        version = None
    return _json(
        {
            "node": me.node,
            "worker": me.name,
            "strategy": me.settings.cache.strategy.value,
            "write_path": me.settings.cache.write_path.value,
            "l1": me.cache.levels(),
            "backplane": {"hears": hearing.hears, "detail": hearing.detail},
            "namespaces": {LISTS: version},
        }
    )


@routes.post("/invalidate")
@cached(CacheClass.NO_STORE)
def invalidate() -> ResponseReturnValue:
    """Invalidate names on behalf of a writer that bypassed the API; `pending` means that Redis could not be told."""
    wanted = body_of(request, Invalidation)
    if len(wanted.keys) + len(wanted.tags) + len(wanted.namespaces) > NAMES_MAX:
        raise BadRequest(422, f"at most {NAMES_MAX} names are expected at once")
    try:
        names = Names(wanted.keys, wanted.tags, wanted.namespaces)
    except ValueError as error:
        raise BadRequest(422, str(error)) from None
    return _json(worker().cache.invalidate(names))


@routes.get("/failpoint")
@cached(CacheClass.NO_STORE)
def failpoint_hits() -> ResponseReturnValue:
    """How often each failpoint of this node was hit."""
    return _json({"hits": dict(_failpoints().hits())})


@routes.post("/failpoint")
@cached(CacheClass.NO_STORE)
def arm_failpoint() -> ResponseReturnValue:
    """Arm a failpoint for the processes of this node together, or disarm it with a count of 0."""
    from planted.failpoint import Armed

    points = _failpoints()
    armed = body_of(request, Armed)
    points.arm(armed)
    return _json({"armed": {armed.point: armed.count}})


def _failpoints() -> Failpoints:
    points = failpoints_of(worker().settings.secret)
    if points is None:
        raise NotFound
    return points


def _guard() -> None:
    if request.path.startswith(PREFIX):
        given = request.headers.get("Tocsin-Secret", "").encode("latin-1", "replace")
        if not hmac.compare_digest(given, worker().settings.secret.encode()):
            raise NotFound


def _json(value: object) -> Response:
    return Response(msgspec.json.encode(value), content_type=JSON)
