"""Problem: every error as RFC 9457 `application/problem+json`, with one sentence that says what to do about it.

What always holds: an error of a write says in `outcome` whether it happened: `not-applied`, or `unknown` when COMMIT
was sent and its answer is lost. An error never shows a traceback, a statement or a setting.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec
import structlog
from flask import Flask, Response, request
from tocsin.errors import LoadRefused
from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound, RequestEntityTooLarge, default_exceptions

from catalog.errors import (
    BadRequest,
    ConditionFailed,
    Contended,
    DatabaseUnavailable,
    KeyReused,
    OutcomeUnknown,
    ProductMissing,
    RedisNeeded,
)

RETRY_AFTER_S = 1
BYTES_MAX = 64 * 1024  # of a request's body
SAFE = ("GET", "HEAD", "OPTIONS")
log = structlog.get_logger()


def problem(
    status: int, detail: str, *, headers: dict[str, str] | None = None, **members: str | int | None
) -> Response:
    """One problem document; `members` extend it, except those that are None."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    body |= {name: value for name, value in members.items() if value is not None}
    return Response(msgspec.json.encode(body), status=status, headers=headers, content_type="application/problem+json")


def register(application: Flask) -> None:
    """Turn every error that can leave a route into a problem."""
    application.register_error_handler(BadRequest, _bad_request)
    application.register_error_handler(ProductMissing, product_missing)
    application.register_error_handler(ConditionFailed, _condition_failed)
    application.register_error_handler(KeyReused, lambda error: problem(422, str(error)))
    application.register_error_handler(Contended, _unavailable)
    application.register_error_handler(DatabaseUnavailable, _unavailable)
    application.register_error_handler(RedisNeeded, _unavailable)
    application.register_error_handler(LoadRefused, _unavailable)
    application.register_error_handler(OutcomeUnknown, _outcome_unknown)
    for code in default_exceptions:
        application.register_error_handler(code, http_error)
    application.register_error_handler(Exception, _unexpected)


def product_missing(error: ProductMissing) -> Response:
    """404, with the tombstone's version where there was a product."""
    return problem(404, f"{error}", version=error.version or None)


def http_error(error: HTTPException) -> Response:
    """What Flask and werkzeug refuse: an unknown path, a wrong method, a body that is too large."""
    status = error.code or 500
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    detail = error.description or HTTPStatus(status).description
    if isinstance(error, NotFound):
        detail = f"nothing is served at {request.path}"
    if isinstance(error, MethodNotAllowed):
        detail = f"{request.method} is not served at {request.path}; {headers.get('Allow', 'nothing')} is"
    if isinstance(error, RequestEntityTooLarge):
        detail = f"the body is too large: at most {BYTES_MAX} bytes are expected"
    return problem(status, detail, headers=headers)


def _bad_request(error: BadRequest) -> Response:
    headers = {"Accept": "application/json"} if error.status == 415 else None
    return problem(error.status, str(error), headers=headers, field=error.field)


def _condition_failed(error: ConditionFailed) -> Response:
    return problem(412, str(error), version=error.version)


def _unavailable(error: Exception) -> Response:
    log.warning("unavailable", reason=str(error), path=request.path)
    what = f"the database is not available: {error}" if isinstance(error, DatabaseUnavailable) else str(error)
    return problem(503, what, headers={"Retry-After": str(RETRY_AFTER_S)}, outcome=_of_a_write("not-applied"))


def _outcome_unknown(error: OutcomeUnknown) -> Response:
    log.error("outcome unknown", reason=str(error), path=request.path)
    return problem(
        500,
        "the write may or may not have happened: its commit was sent and no answer came back."
        " Repeat it with the same Idempotency-Key, or read the product",
        outcome="unknown",
    )


def _unexpected(error: Exception) -> Response:
    # The last resort, so that no client ever sees a traceback and every such error is logged with one.
    log.error("unexpected error", path=request.path, exc_info=error)
    detail = "the service failed; the log of the worker named in X-Worker says why"
    return problem(500, detail, outcome=_of_a_write("unknown"))


def _of_a_write(outcome: str) -> str | None:
    return None if request.method in SAFE else outcome
