"""Measure: each request's route, status and time, for the metrics.

What always holds: the route is the rule (`/api/products/<id>`), never the path, so that the number of series is that
of the routes; what matched no rule is counted together.
"""

from __future__ import annotations

import re
import time

from flask import Flask, Response, current_app, g, request

from catalog.service import service_of

_CONVERTER = re.compile(r"<[a-z_]+:")


def register(application: Flask) -> None:
    """Measure every request. Register it first: what is registered first runs last after a request."""
    application.before_request(_begin)
    application.after_request(_end)


def _begin() -> None:
    g.begun_s = time.perf_counter()


def _end(response: Response) -> Response:
    # Without the converters' names: `/api/products/<product_id>`.
    rule = _CONVERTER.sub("<", request.url_rule.rule) if request.url_rule else "unmatched"
    seconds = time.perf_counter() - g.begun_s
    service_of(current_app).metrics.request(rule, request.method, response.status_code, seconds)
    return response
