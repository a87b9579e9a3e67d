"""Answer: what every response has in common, added in one place after the route.

    route ──▶ Response ──▶ ETag compared (304, 412) ──▶ Cache-Control by class ──▶ X-Node, X-Worker, Cache-Status

What always holds: a response without a class of its own is `no-store`; a 304 carries the validators, `Cache-Control`
and `Vary` of the 200 that it stands for (RFC 9110, section 15.4.5), because it *is* that response without its body.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, g, request
from tocsin import Answer

from catalog.service import Worker, service_of
from catalog.validator import Verdict, etag_of
from catalog.web import cache_status
from catalog.web.body import conditions_of
from catalog.web.cache_class import CacheClass, class_of
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


def note(answer: Answer) -> Answer:
    """Remember how a read was answered, for `Cache-Status`."""
    g.cache_answer = answer
    return answer


def register(application: Flask) -> None:
    """Add the steps above to every answer."""
    application.after_request(_complete)


def _complete(response: Response) -> Response:
    response = _conditional(response)
    if "Cache-Control" not in response.headers:
        view = current_app.view_functions.get(request.endpoint or "")
        whole = response.status_code in (200, 304) and request.method != "OPTIONS"  # which Flask answers by itself
        declared = class_of(view) if whole else None
        response.headers["Cache-Control"] = (declared or CacheClass.NO_STORE).value
    me = worker()
    response.headers["X-Node"] = me.node
    response.headers["X-Worker"] = me.name
    answer: Answer | None = g.get("cache_answer")
    response.headers["Cache-Status"] = (
        cache_status.of_answer(answer) if answer else cache_status.of_nothing_read(request.method)
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


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
