"""Shop: the front page, for people: a window of products, and who served it.

What always holds: the page is `no-cache`: it may be kept, and is asked about each time. It shows the very entry that
`/api/products` serves, and its footer says from which level and worker that came.
"""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from tocsin import Answer, Layer

from catalog.dashboard import CATEGORIES
from catalog.products import Listing, read_list
from catalog.web.answer import at_least, note, represent, worker
from catalog.web.assets import address_of
from catalog.web.body import page_of
from catalog.web.cache_class import CacheClass, cached
from catalog.web.description import DESCRIPTION

routes = Blueprint("shop", __name__, template_folder="templates")
# Nothing on the page comes from elsewhere and no script runs, so a name that got past escaping would do nothing.
POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SOURCES = {
    Layer.L1: "this worker's own memory (L1)",
    Layer.L2: "Redis (L2)",
    Layer.DATABASE: "the database",
}


@routes.get("/")
@cached(CacheClass.NO_CACHE)
def window() -> ResponseReturnValue:
    """The shop window."""
    me = worker()
    page = page_of(request)
    answer = note(read_list(me.cache, me.database, page, at_least()))
    assert answer.value is not None, "a list may be empty, but it is always there"
    html = render_template(
        "shop.html",
        listing=msgspec.json.decode(answer.value, type=Listing),
        category=page.category,
        categories=CATEGORIES,
        link=lambda number: f"/?page={number}" + (f"&category={page.category}" if page.category else ""),
        address_of=address_of,
        worker=me.name,
        source=source_of(answer),
    )
    response = represent(html.encode(), content_type="text/html; charset=utf-8")
    response.headers["Content-Security-Policy"] = POLICY
    return response


@routes.get("/openapi.json")
@cached(CacheClass.PUBLIC)
def description() -> Response:
    """The API, described."""
    return represent(DESCRIPTION)


def source_of(answer: Answer) -> str:
    """The level that answered, for people."""
    return SOURCES[answer.layer]
