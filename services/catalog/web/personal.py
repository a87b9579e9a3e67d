"""Personal routes: who asks, and the one page that depends on it.

What always holds: only these routes touch the session. Flask then adds `Vary: Cookie` by itself, and a route that does
not touch it can neither vary by it nor set a cookie, so a shared cache may keep its answers (hazard 39).
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from flask import Blueprint, Request, Response, request, session
from flask.typing import ResponseReturnValue
from msgspec import Meta, Struct

from catalog.dashboard import GUEST, LOCALES, read_dashboard
from catalog.product import END
from catalog.web.answer import JSON, at_least, note, represent, worker
from catalog.web.body import body_of
from catalog.web.cache_class import CacheClass, cached

routes = Blueprint("personal", __name__, url_prefix="/api")
USER = rf"^[A-Za-z0-9][A-Za-z0-9._@-]{{0,63}}{END}"


class SignIn(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of POST /api/session. This shop knows nobody's password: a name is all that the examiner needs."""

    user: Annotated[str, Meta(pattern=USER, description="Letters, digits, `.`, `_`, `@` and `-`; at most 64.")]


@routes.get("/dashboard")
@cached(CacheClass.PRIVATE)
def dashboard() -> ResponseReturnValue:
    """The user's own page, in the language that fits best."""
    me = worker()
    user = session.get("user", GUEST)
    locale = locale_of(request)
    answer = note(read_dashboard(me.cache, me.database, user, locale, at_least()))
    assert answer.value is not None, "everybody has a dashboard"
    response = represent(answer.value)
    response.headers["Content-Language"] = locale
    response.vary.update(("Cookie", "Accept-Language"))
    return response


@routes.post("/session")
@cached(CacheClass.NO_STORE)
def sign_in() -> ResponseReturnValue:
    """From now on the session is this user's."""
    user = body_of(request, SignIn).user
    session.clear()
    session["user"] = user
    return _who(user)


@routes.delete("/session")
@cached(CacheClass.NO_STORE)
def sign_out() -> ResponseReturnValue:
    """The session ends. Its cookie is removed; as it is signed and not stored, a copy of it would still be believed."""
    session.clear()
    return _who(GUEST)


def locale_of(request: Request) -> str:
    """The first language range that we have words for, by the lookup of RFC 4647 section 3.4: `de-AT` finds `de`."""
    for language, quality in request.accept_languages:
        primary = language.partition("-")[0].lower()
        if quality > 0 and primary in LOCALES:
            return primary
    return LOCALES[0]


def _who(user: str) -> Response:
    return Response(msgspec.json.encode({"user": user}), content_type=JSON)
