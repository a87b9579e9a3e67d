"""What tests of the rims share: one Redis, and Flask applications whose caches are closed afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from flask_caching import Cache
from tocsin.flask import Tocsin
from tocsin.flask_caching import TocsinCache

from tests.redis_server import RedisServer, redis_server

WITHIN_S = 8.0


@pytest.fixture(scope="module")
def module_redis() -> Iterator[RedisServer]:
    """One Redis for the tests of a module; they may stop and start it."""
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(module_redis: RedisServer) -> Iterator[RedisServer]:
    """A running, answering Redis, whatever the test before did to it."""
    yield module_redis
    module_redis.restore()


@dataclass(frozen=True)
class Site:
    """A Flask application with Flask-Caching."""

    app: Flask
    cache: Cache

    @property
    def backend(self) -> Any:
        """The backend itself, for the methods that `Cache` does not proxy."""
        return self.app.extensions["cache"][self.cache]


BuildSite = Callable[..., Site]


@pytest.fixture
def build_site(redis: RedisServer) -> Iterator[BuildSite]:
    """Builds sites on `redis`; without another namespace they are workers of one site, each with an L1 of its own.

    A backend is named as in Flask-Caching, and TocsinCache may have its strategy behind it.
    """
    namespace = uuid4().hex
    built: list[Site] = []

    def build(backend: str = "TocsinCache", **config: Any) -> Site:
        kind, _, strategy = backend.partition(" ")
        app = Flask("site")
        app.config.update(CACHE_TYPE=kind, CACHE_REDIS_URL=redis.url)
        if kind == "TocsinCache":
            app.config.update(CACHE_TYPE="tocsin.flask_caching.TocsinCache", CACHE_TOCSIN_NAMESPACE=namespace)
            app.config.update(CACHE_TOCSIN_STRATEGY=strategy or "sequenced", CACHE_TOCSIN_CANARY_EVERY_S=0.1)
            app.config.update(CACHE_TOCSIN_AGENT="thread")  # a process for each test would be a process too many
        app.config.update(config)
        built.append(Site(app, Cache(app)))
        return built[-1]

    yield build
    for site in built:
        if isinstance(site.backend, TocsinCache):
            site.backend.close()
        elif hasattr(site.backend, "_write_client"):
            site.backend.clear()
            site.backend._write_client.close()


@pytest.fixture
def extension() -> Tocsin:
    """One extension object, as a module of an application would hold it."""
    return Tocsin()


@pytest.fixture
def shop(redis: RedisServer, extension: Tocsin) -> Iterator[Flask]:
    """An application with the extension, a session and a login."""
    app = Flask("shop")
    app.secret_key = "secret"
    app.config.update(TOCSIN_REDIS_URL=redis.url, TOCSIN_NAMESPACE=uuid4().hex)
    app.config.update(TOCSIN_STRATEGY="sequenced", TOCSIN_AGENT="thread")
    extension.init_app(app)

    @app.post("/login/<name>")
    def login(name: str) -> str:
        session["user"] = name
        return "hello"

    yield app
    extension.stop(app)


def logged_in(app: Flask, name: str) -> FlaskClient:
    """Return a browser with a session of the shop."""
    client = app.test_client()
    client.post(f"/login/{name}")
    return client


@pytest.fixture
def calls() -> Iterator[int]:
    """Numbers that tell which call made what is returned."""
    return count(1)
