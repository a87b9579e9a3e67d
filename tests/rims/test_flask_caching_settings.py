"""TocsinCache under its settings, and without its Redis: mistakes are named at the start, errors ignored on request."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from tocsin import SettingsError, Unavailable

from tests.redis_server import RedisServer
from tests.rims.conftest import WITHIN_S, BuildSite
from tests.until import until


def test_without_redis_views_are_computed_and_raw_calls_say_so(build_site: BuildSite, redis: RedisServer) -> None:
    """Flask-Caching logs the error and calls the function; get and set raise it, as with RedisCache."""
    site = build_site()
    calls = count(1)

    @site.app.get("/")
    @site.cache.cached()
    def page() -> str:
        return str(next(calls))

    redis.stop()
    assert [site.app.test_client().get("/").text for _ in range(2)] == ["1", "2"]
    calls_of_redis: tuple[Callable[[], object], ...] = (
        lambda: site.backend.get("key"),
        lambda: site.backend.set("key", 1),
        lambda: site.backend.inc("key"),
        lambda: site.backend.clear(),
    )
    for call in calls_of_redis:
        with pytest.raises(Unavailable):
            call()
    with pytest.raises(RuntimeError, match=r"Failed to delete keys: \['key'\]"):
        site.backend.delete_many("key")


def test_ignored_errors_answer_as_if_nothing_were_cached(build_site: BuildSite, redis: RedisServer) -> None:
    """`CACHE_IGNORE_ERRORS`: cachelib's own words for "did not work", and back to work when Redis is back."""
    backend = build_site(CACHE_IGNORE_ERRORS=True).backend
    redis.stop()
    assert backend.get("key") is None
    assert backend.get_many("a", "b") == [None, None]
    assert backend.set("key", 1) is False
    assert backend.set_many({"key": 1}) == []
    assert backend.add("key", 1) is False
    assert backend.has("key") is False
    assert backend.delete("key") is False
    assert backend.delete_many("key") == []
    assert backend.inc("key") is None
    assert backend.clear() is False
    redis.start()
    until(lambda: backend.set("key", 1), within_s=WITHIN_S, waiting_for="Redis to be tried again")
    assert backend.get("key") == 1


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"CACHE_TOCSIN_L1_TLL_S": 1}, "CACHE_TOCSIN_L1_TLL_S.*CACHE_TOCSIN_L1_TTL_S"),
        ({"CACHE_OPTIONS": {"socket_keepalive": True}}, "SOCKET_KEEPALIVE"),
        ({"CACHE_TOCSIN_STRATEGY": "magic"}, "strategy"),
        ({"CACHE_TOCSIN_L1_TTL_S": -1}, "l1_ttl_s"),
        ({"CACHE_TOCSIN_SIGNING_KEYS": [b"short"]}, "token_bytes"),
        ({"CACHE_ARGS": ["redis"]}, "CACHE_OPTIONS"),
    ],
)
def test_a_setting_that_can_t_be_meant_is_an_error_at_the_start(
    build_site: BuildSite, config: dict[str, Any], words: str
) -> None:
    """Misspelt, foreign, out of range: the message names what would be right."""
    with pytest.raises(SettingsError, match=words):
        build_site(**config)


def test_redis_cache_s_settings_are_understood(build_site: BuildSite, redis: RedisServer) -> None:
    """Host, port and database instead of a URL."""
    site = build_site(CACHE_REDIS_URL=None, CACHE_REDIS_HOST="127.0.0.1", CACHE_REDIS_PORT=redis.port, CACHE_REDIS_DB=3)
    assert site.backend.set("key", 1) is True
    with redis.client() as client:
        client.select(3)
        assert list(client.scan_iter("*:value:*"))


@pytest.mark.parametrize(("path", "database"), [("", 3), ("/", 3), ("/5", 5), ("?db=6", 6), ("/?db=6", 6)])
def test_a_url_s_database_goes_before_the_setting(
    build_site: BuildSite, redis: RedisServer, path: str, database: int
) -> None:
    """As redis-py has it for RedisCache: the setting counts where the URL names none."""
    site = build_site(CACHE_REDIS_URL=f"redis://127.0.0.1:{redis.port}{path}", CACHE_REDIS_DB=3)
    assert site.backend.set("key", 1) is True
    with redis.client() as client:
        client.select(database)
        assert list(client.scan_iter(f"*{site.backend.settings.namespace}*:value:*"))


def test_options_are_settings_too(build_site: BuildSite) -> None:
    """`CACHE_OPTIONS` has the same names in lower case, and texts are converted."""
    site = build_site(CACHE_OPTIONS={"l1_ttl_s": "5", "strategy": "ttl"}, CACHE_DEFAULT_TIMEOUT=7)
    assert site.backend.settings.l1_ttl_s == 5.0
    assert site.backend.settings.strategy.value == "ttl"
    assert site.backend.default_timeout == 7
