"""Shop: the routes that a peer serves, the same for all, in the words of docs/contract.md.

What always holds: an answer says in `Cache-Status` whether its value was loaded in this very request or came from the
library's cache: by the number of its load, not by what the library says. Public answers may be kept by the edge for a
second, as those of the catalogue's simple strategies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from catalog.database import Database
from catalog.errors import DatabaseUnavailable, ProductMissing
from catalog.product import ProductChange
from catalog.service import EXTENSION
from catalog.settings import Settings
from catalog.web import problem
from catalog.web.body import body_of, operation_id_of, retry_key_of
from catalog.web.cache_class import CacheClass
from catalog.web.personal import SignIn, locale_of
from catalog.web.products import ProductId
from flask import Blueprint, Flask, Response, current_app, request, session

from peers.peer import Maker, Peer, Setup
from peers.stock import Stock, stamped

JSON = "application/json"
GUEST = "guest"
routes = Blueprint("peers", __name__)


@dataclass(frozen=True, slots=True)
class Here:
    """What a process has: its stock and its peer."""

    node: str
    library: str
    stock: Stock
    peer: Peer


class PeerService:
    """What gunicorn starts in each worker; see `catalog.service.Lifecycle`."""

    def __init__(self, application: Flask, settings: Settings, library: str, make: Maker) -> None:
        self._application = application
        self._settings = settings
        self._library = library
        self._make = make
        self._database: Database | None = None
        self.here: Here | None = None

    def start(self, name: str) -> None:
        """Open the database and the cache, after the fork."""
        self._database = Database(self._settings.database_url)
        stock = Stock(self._database, node=self._settings.node, worker=name)
        with self._application.app_context():
            peer = self._make(self._application, stock, _setup(self._settings))
        self.here = Here(self._settings.node, self._library, stock, peer)

    def stop(self) -> None:
        """Close them."""
        if self.here is not None:
            self.here.peer.close()
        if self._database is not None:
            self._database.close()


def create_application(settings: Settings, library: str, makers: Mapping[str, Maker]) -> Flask:
    """The shop on one library. Raises `ValueError` for one that nobody knows."""
    if library not in makers:
        raise ValueError(f"PEERS_LIBRARY is {library!r}: one of {', '.join(makers)} is needed")
    application = Flask("peers", static_folder=None)
    application.config.update(SECRET_KEY=settings.secret, SESSION_COOKIE_NAME="catalog-session")
    application.url_map.converters["product_id"] = ProductId
    application.extensions[EXTENSION] = PeerService(application, settings, library, makers[library])
    problem.register(application)
    application.register_blueprint(routes)
    return application


@routes.get("/api/products/<product_id:product_id>")
def show(product_id: int) -> Response:
    """One product."""
    here = _here()
    before = here.stock.loads
    value = stamped(here.peer.product(product_id))
    mine = value.worker == here.stock.worker and value.load > before
    if not value.body:
        return _answer(problem.product_missing(ProductMissing(product_id, 0)), CacheClass.PUBLIC, hit=not mine)
    return _answer(Response(value.body, content_type=JSON), CacheClass.PUBLIC, hit=not mine)


@routes.patch("/api/products/<product_id:product_id>")
def change(product_id: int) -> Response:
    """Commit, then tell the cache."""
    here = _here()
    wanted = body_of(request, ProductChange)
    body = here.stock.change(product_id, wanted, operation_id_of(retry_key_of(request)))
    here.peer.changed(product_id)
    return _answer(Response(body, content_type=JSON), CacheClass.NO_STORE)


@routes.get("/api/dashboard")
def page() -> Response:
    """The user's own page."""
    here = _here()
    value = stamped(here.peer.page(session.get("user", GUEST), locale_of(request)))
    return _answer(Response(value.body, content_type=JSON), CacheClass.PRIVATE)


@routes.post("/api/session")
def sign_in() -> Response:
    """From now on the session is this user's."""
    session["user"] = body_of(request, SignIn).user
    return _answer(Response(msgspec.json.encode({"user": session["user"]}), content_type=JSON), CacheClass.NO_STORE)


@routes.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return _answer(Response(b'{"status":"ok"}', content_type=JSON), CacheClass.NO_STORE)


@routes.get("/readyz")
def ready() -> Response:
    """The database answers, and the cache has answered for one product."""
    here = _here()
    try:
        here.stock.probe()
        here.peer.product(1)
        ok, detail = True, "answers"
    except DatabaseUnavailable as error:
        ok, detail = False, str(error)
    body = {
        "ready": ok,
        "node": here.node,
        "worker": here.stock.worker,
        "strategy": here.library,
        "checks": {"database": {"ok": ok, "detail": detail}},
    }
    return _answer(Response(msgspec.json.encode(body), 200 if ok else 503, content_type=JSON), CacheClass.NO_STORE)


def _setup(settings: Settings) -> Setup:
    """Whole seconds, because some libraries take no others."""
    cache = settings.cache
    return Setup(
        redis_url=settings.redis_url,
        local_ttl_s=math.ceil(cache.l1_ttl_s),
        shared_ttl_s=math.ceil(cache.l2_ttl_s),
    )


def _here() -> Here:
    service = current_app.extensions[EXTENSION]
    assert isinstance(service, PeerService), "the application was made by create_application"
    assert service.here is not None, "start was called in this process"
    return service.here


def _answer(response: Response, kind: CacheClass, *, hit: bool | None = None) -> Response:
    here = _here()
    response.headers["Cache-Control"] = kind.value
    response.headers["X-Node"] = here.node
    response.headers["X-Worker"] = here.stock.worker
    if hit is not None:
        response.headers["Cache-Status"] = f"{here.peer.level};{'hit' if hit else 'fwd=uri-miss'}"
    return response
