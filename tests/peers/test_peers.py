"""Other people's caches behind the shop: one contract for all: read, change, read again; and what differs, by library.

Two applications on one database and one Redis stand for two workers.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from catalog.seed import initialise
from catalog.settings import Settings
from flask import Flask
from flask.testing import FlaskClient
from peers.libraries import LIBRARIES
from peers.shop import PeerService, create_application

from tests.redis_server import RedisServer, redis_server
from tests.until import until

# Libraries call redis-py by names that it has given up, and leave sockets to the end of their process.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Call to deprecated:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECRET = "a secret of the test"
TOLD_WITHIN_S = 5.0


@dataclass(frozen=True)
class Two:
    """Two workers of one shop."""

    one: FlaskClient
    other: FlaskClient
    redis: RedisServer


def version(client: FlaskClient, product_id: int = 7) -> int:
    """The version that a worker answers with."""
    answer = client.get(f"/api/products/{product_id}")
    assert answer.status_code == 200
    found = answer.get_json()["version"]
    assert isinstance(found, int)
    return found


def source(client: FlaskClient) -> str:
    """Where a worker's answer came from."""
    return client.get("/api/products/7").headers["Cache-Status"]


@pytest.fixture(params=sorted(LIBRARIES))
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Two]:
    """Two workers on the library."""
    with redis_server() as redis:
        environ = {
            "CATALOG_NODE": "node-1",
            "CATALOG_SECRET": SECRET,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.db'}",
            "REDIS_URL": redis.url,
            "TOCSIN_STRATEGY": "no-cache",
        }
        settings = Settings.parse(environ)
        initialise(settings.database_url)
        applications = [create_application(settings, request.param, LIBRARIES) for _ in range(2)]
        services = [service_of(application) for application in applications]
        try:
            for number, service in enumerate(services, 1):
                service.start(f"node-1/worker-{number}")
            yield Two(applications[0].test_client(), applications[1].test_client(), redis)
        finally:
            for service in services:
                service.stop()
            del applications, services
            gc.collect()  # what the libraries left open is complained of here, where it is expected, and nowhere else


def service_of(application: Flask) -> PeerService:
    """What gunicorn would start."""
    service = application.extensions["catalog"]
    assert isinstance(service, PeerService)
    return service


def test_a_second_read_comes_from_the_cache(two: Two) -> None:
    """The first is loaded from the database, the second is not, and says so."""
    assert version(two.one) == 1
    assert source(two.one).endswith(";hit")


def test_a_write_is_seen_by_who_wrote(two: Two) -> None:
    """The version rises, and a read through the same worker shows it."""
    assert version(two.one) == 1
    changed = two.one.patch("/api/products/7", json={"price": 3.5}, headers={"Idempotency-Key": "00f1"})
    assert (changed.status_code, changed.get_json()["version"]) == (200, 2)
    assert version(two.one) == 2


def test_what_the_other_worker_is_told(two: Two, request: pytest.FixtureRequest) -> None:
    """All but SimpleCache, whose values are each worker's own, show the write in the other worker as well."""
    assert version(two.other) == 1
    two.one.patch("/api/products/7", json={"price": 3.5})
    if request.node.callspec.params["two"] == "flask-caching-simple":
        assert version(two.other) == 1
    else:
        until(lambda: version(two.other) == 2, within_s=TOLD_WITHIN_S, waiting_for="the other worker to show the write")


def test_what_is_not_there_is_not_found(two: Two) -> None:
    """A 404, also from the cache, and to a change."""
    for _ in range(2):
        assert two.one.get("/api/products/99999").status_code == 404
    assert two.one.patch("/api/products/99999", json={"price": 1}).status_code == 404


def test_a_personal_page_is_its_users_own(two: Two) -> None:
    """Two users at two workers, each with a page of their own, twice."""
    two.one.post("/api/session", json={"user": "ada"})
    two.other.post("/api/session", json={"user": "bob"})
    for _ in range(2):
        assert two.one.get("/api/dashboard").get_json()["user"] == "ada"
        assert two.other.get("/api/dashboard").get_json()["user"] == "bob"


def test_without_redis_the_database_answers(two: Two) -> None:
    """A Redis that went away costs speed, not answers."""
    assert version(two.one) == 1
    two.redis.stop()
    assert version(two.one, 8) == 1
    assert two.one.patch("/api/products/8", json={"price": 2}).status_code == 200


def test_a_library_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    """By name, with the names that there are."""
    environ = {
        "CATALOG_NODE": "node-1",
        "CATALOG_SECRET": SECRET,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'shop.db'}",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    with pytest.raises(ValueError, match="dogpile"):
        create_application(Settings.parse(environ), "dogpyle", LIBRARIES)
