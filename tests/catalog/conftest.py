"""What the catalogue's tests share: one Redis, one server of each database, and shops on fresh copies of the goods."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from catalog.seed import initialise
from catalog.settings import database_url as parsed

from tests.catalog.shop import Shop, open_shop
from tests.database_servers import DatabaseServer, mariadb_server, postgresql_server
from tests.redis_server import RedisServer, redis_server

OpenShop = Callable[..., Shop]
# Tests that do not ask for `pubsub` do without its listener, whose end each of them would wait for.
QUICK = {"TOCSIN_STRATEGY": "ttl"}


@pytest.fixture(scope="session")
def shared_redis() -> Iterator[RedisServer]:
    """One Redis for all tests of the catalogue."""
    with redis_server() as server:
        yield server


@pytest.fixture
def redis(shared_redis: RedisServer) -> Iterator[RedisServer]:
    """A running, empty Redis."""
    with shared_redis.client() as client:
        client.flushall()
    yield shared_redis
    shared_redis.restore()


@pytest.fixture(scope="session")
def stocked_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded SQLite file, to be copied."""
    file = tmp_path_factory.mktemp("stock") / "shop.db"
    assert initialise(parsed({"DATABASE_URL": f"sqlite:///{file}"})) == 1000
    return file


@pytest.fixture(scope="session")
def postgresql() -> Iterator[DatabaseServer]:
    """A PostgreSQL for all tests."""
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def mariadb() -> Iterator[DatabaseServer]:
    """A MariaDB for all tests."""
    with mariadb_server() as server:
        yield server


@pytest.fixture
def sqlite_url(stocked_file: Path, tmp_path: Path) -> str:
    """A seeded SQLite database of the test's own."""
    return f"sqlite:///{shutil.copy(stocked_file, tmp_path / 'shop.db')}"


@pytest.fixture(params=["sqlite", "postgresql", "mariadb"])
def stocked_url(request: pytest.FixtureRequest) -> str:
    """A seeded database of the test's own, of each kind in turn."""
    if request.param == "sqlite":
        url: str = request.getfixturevalue("sqlite_url")
        return url
    server: DatabaseServer = request.getfixturevalue(request.param)
    url = server.fresh_database()
    initialise(parsed({"DATABASE_URL": url}))
    return url


@pytest.fixture
def open_here(redis: RedisServer, sqlite_url: str) -> Iterator[OpenShop]:
    """Opens workers on the same Redis and the same SQLite file, with changes to the environment; stops them."""
    with ExitStack() as stack:
        chosen = {"REDIS_URL": redis.url, "DATABASE_URL": sqlite_url, **QUICK}
        yield lambda **changes: stack.enter_context(open_shop(**(chosen | changes)))


@pytest.fixture
def shop(open_here: OpenShop) -> Shop:
    """A shop on SQLite."""
    return open_here()


@pytest.fixture
def any_shop(redis: RedisServer, stocked_url: str) -> Iterator[Shop]:
    """A shop on each database in turn."""
    with open_shop(REDIS_URL=redis.url, DATABASE_URL=stocked_url, **QUICK) as opened:
        yield opened
