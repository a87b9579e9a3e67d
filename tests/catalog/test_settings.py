"""Settings: what can't be meant is refused at the door, in one sentence."""

from __future__ import annotations

from pathlib import Path

import pytest
from catalog.errors import BadSettings
from catalog.settings import Serving, Settings, database_url
from tocsin import Strategy, WritePath

from tests.catalog.shop import environment


def test_the_defaults_are_those_of_the_contract() -> None:
    """docs/contract.md, section 5: sequenced, cache-aside, an L1 of 2 s and 32 MiB, an L2 of 30 s."""
    cache = Settings.parse(environment()).cache
    assert (cache.strategy, cache.write_path) == (Strategy.SEQUENCED, WritePath.CACHE_ASIDE)
    assert (cache.l1_ttl_s, cache.l2_ttl_s, cache.l1_max_bytes) == (2.0, 30.0, 33_554_432)
    assert cache.namespace == "catalog"


def test_every_setting_of_the_cache_can_be_turned() -> None:
    """Turning a knob changes what the cache is given."""
    cache = Settings.parse(
        environment(
            TOCSIN_STRATEGY="versioned",
            TOCSIN_WRITE_PATH="write-through",
            TOCSIN_L1_TTL_S="0.5",
            TOCSIN_L2_TTL_S="7",
            TOCSIN_L1_MAX_BYTES="1000000",
        )
    ).cache
    assert (cache.strategy, cache.write_path) == (Strategy.VERSIONED, WritePath.WRITE_THROUGH)
    assert (cache.l1_ttl_s, cache.l2_ttl_s, cache.l1_max_bytes) == (0.5, 7.0, 1_000_000)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CATALOG_THRAEDS", "4", "unknown variable CATALOG_THRAEDS"),
        ("TOCSIN_STRATGY", "ttl", "unknown variable TOCSIN_STRATGY"),
        (
            "TOCSIN_STRATEGY",
            "magic",
            "pubsub, pubsub-flush, tracking, versioned, sequenced, strict",
        ),
        ("TOCSIN_WRITE_PATH", "later", "cache-aside, write-through, write-behind"),
        ("TOCSIN_L1_TTL_S", "soon", "TOCSIN_L1_TTL_S is 'soon'"),
        ("TOCSIN_L2_TTL_S", "0", "TOCSIN_L2_TTL_S is '0'"),
        ("TOCSIN_L2_TTL_S", "nan", "TOCSIN_L2_TTL_S is 'nan'"),
        ("TOCSIN_L1_MAX_BYTES", "1.5", "a whole number from 65536"),
        ("CATALOG_NODE", "", "CATALOG_NODE is not set"),
        ("CATALOG_NODE", "Node 1", "a name such as node-1"),
        ("CATALOG_SECRET", "short", "at least 8"),
        ("CATALOG_LOG_FORMAT", "xml", "json or console"),
        ("REDIS_URL", "http://127.0.0.1", "redis://127.0.0.1:6379/0"),
        ("DATABASE_URL", "", "DATABASE_URL is not set"),
        ("DATABASE_URL", "no url", "DATABASE_URL can't be read"),
        ("DATABASE_URL", "oracle://db/shop", "sqlite:////folder/file.db, postgresql://"),
        ("DATABASE_URL", "sqlite:///shop.db", "the absolute path of a file"),
        ("DATABASE_URL", "sqlite://", "the absolute path of a file"),
    ],
)
def test_a_setting_that_cannot_be_meant_is_named(name: str, value: str, said: str) -> None:
    """The error is one sentence with the variable, or the words that would do."""
    with pytest.raises(BadSettings) as raised:
        Settings.parse(environment(**{name: value}))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_bad_address_keeps_its_password_to_itself() -> None:
    """The message about a database that is not known does not repeat the password."""
    with pytest.raises(BadSettings) as raised:
        database_url(environment(DATABASE_URL="oracle://ada:very-secret@db/shop"))
    assert "very-secret" not in str(raised.value)


def test_the_examiners_own_variables_are_no_typos() -> None:
    """The command line that starts a cluster has variables with our prefix, which its children inherit."""
    assert Settings.parse(environment(TOCSIN_RUN="r1", TOCSIN_RUNS="/runs", TOCSIN_NGINX="nginx"))


@pytest.mark.parametrize(
    ("given", "driver"),
    [
        ("postgresql://shop@db/shop", "postgresql+psycopg"),
        ("mysql://shop@db/shop", "mysql+pymysql"),
        ("mariadb://shop@db/shop", "mariadb+pymysql"),
        ("sqlite:////srv/shop.db", "sqlite"),
    ],
)
def test_a_database_url_gets_the_driver_that_is_installed(given: str, driver: str) -> None:
    """The forms of the contract are spelled without a driver."""
    assert database_url({"DATABASE_URL": given}).drivername == driver


def serving(tmp_path: Path, **changes: str) -> Serving:
    complete = {
        "CATALOG_BIND": "127.0.0.1:8001",
        "CATALOG_WORKER_BINDS": "127.0.0.1:8011, 127.0.0.1:8012",
        "CATALOG_RUN_DIR": str(tmp_path),
    }
    return Serving.parse(complete | changes)


def test_one_worker_for_each_of_its_addresses(tmp_path: Path) -> None:
    """The number of addresses is the number of workers."""
    parsed = serving(tmp_path)
    assert parsed.worker_binds == (("127.0.0.1", 8011), ("127.0.0.1", 8012))
    assert (parsed.worker_class, parsed.threads, parsed.metrics_dir) == ("gthread", 4, None)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("CATALOG_BIND", "", "CATALOG_BIND is not set"),
        ("CATALOG_BIND", "8001", "host:port is expected"),
        ("CATALOG_BIND", "127.0.0.1:99999", "host:port is expected"),
        ("CATALOG_WORKER_BINDS", "127.0.0.1:8011,", "host:port is expected"),
        ("CATALOG_WORKER_CLASS", "eventlet", "sync, gthread, gevent"),
        ("CATALOG_THREADS", "0", "a whole number from 1 to 64"),
        ("CATALOG_RUN_DIR", "/nowhere/at/all", "an existing folder"),
    ],
)
def test_gunicorns_part_is_checked_alike(tmp_path: Path, name: str, value: str, said: str) -> None:
    """What only gunicorn needs is refused in the same way."""
    with pytest.raises(BadSettings, match=said):
        serving(tmp_path, **{name: value})
