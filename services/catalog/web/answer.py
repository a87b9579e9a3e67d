"""Answer: what every response has in common, added in one place after the route.

    route ──▶ Response ──▶ ETag compared (304, 412) ──▶ Cache-Control by class ──▶ X-Node, X-Worker, Cache-Status
                       ──▶ what an edge must know to keep it ──▶ what the session has seen

What always holds: a response without a class of its own is `no-store`; a 304 carries the validators, `Cache-Control`
and `Vary` of the 200 that it stands for (RFC 9110, section 15.4.5), because it *is* that response without its body.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request
from tocsin import Answer, Position

from catalog.service import Worker, service_of
from catalog.validator import Verdict, etag_of
from catalog.web import cache_status, kept, watermark
from catalog.web.body import conditions_of
from catalog.web.cache_class import PUBLIC_TO_THE_DEAF, CacheClass, class_of
from catalog.web.problem import problem

JSON = "application/json"


def worker() -> Worker:
    """The worker that this process is."""
    return service_of(current_app).worker


def represent(body: bytes, *, content_type: str = JSON, etag: str | None = None) -> Response:
    """A representation with its strong ETag; whether it is sent whole is decided after the route."""
    response = Response(body, content_type=content_type)
    response.set_etag(etag or etag_of(body))
    return response


def at_least() -> Position | None:
    """How new the answer must be for the session that asks."""
    me = worker()
    return watermark.at_least(me.cache, me.database, me.settings.secret)


def note(answer: Answer, *names: str) -> Answer:
    """Remember how a read was answered, and the key and namespace that it shows, for the steps that follow."""
    g.cache_answer = answer
    g.shown_names = names
    return answer


def declare(cache_class: CacheClass) -> None:
    """Give this one answer a class, whatever its status."""
    g.cache_class = cache_class


def register(application: Flask) -> None:
    """Add the steps above to every answer."""
    application.after_request(_complete)


def _complete(response: Response) -> Response:
    response = _conditional(response)
    me = worker()
    answer: Answer | None = g.get("cache_answer")
    if "Cache-Control" not in response.headers:
        _classify(response, answer)
    response.headers["X-Node"] = me.node
    response.headers["X-Worker"] = me.name
    if answer is not None and request.method in ("GET", "HEAD"):
        shown = watermark.seen_with(me.database, answer.watermark) if g.get("seen") else None
        watermark.tell(response, shown, me.settings.secret)
    response.headers["Cache-Status"] = (
        cache_status.of_answer(answer) if answer else cache_status.of_nothing_read(request.method)
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


def _classify(response: Response, answer: Answer | None) -> None:
    view = current_app.view_functions.get(request.endpoint or "")
    whole = response.status_code in (200, 304) and request.method != "OPTIONS"  # which Flask answers by itself
    declared = g.get("cache_class") or (class_of(view) if whole else None) or CacheClass.NO_STORE
    response.headers["Cache-Control"] = declared.value
    if declared is CacheClass.PUBLIC and worker().settings.cache.strategy.is_sequenced:
        response.headers["Cache-Control"] = PUBLIC_TO_THE_DEAF
        if answer is not None:
            kept.let_keep(response, answer, g.shown_names)


def _conditional(response: Response) -> Response:
    """304 or 412 in place of a 200 to GET or HEAD, where the request's conditions say so."""
    etag, _weak = response.get_etag()
    if etag is None or response.status_code != 200 or request.method not in ("GET", "HEAD"):
        return response
    verdict = conditions_of(request).judge(etag, safe=True)
    if verdict is Verdict.NOT_MODIFIED:
        response.status_code = 304
        response.set_data(b"")
        del response.headers["Content-Length"]
        del response.headers["Content-Type"]
    elif verdict is Verdict.FAILED:
        return problem(412, "the representation is not one that If-Match names")
    return response
