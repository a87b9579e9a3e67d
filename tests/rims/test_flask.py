"""The Flask extension: settings, factories, several applications, forks, and the `flask tocsin` commands."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from tocsin import Cache, Loaded, Names, SettingsError, Strategy
from tocsin.flask import Tocsin

from tests.redis_server import RedisServer
from tests.rims.conftest import WITHIN_S
from tests.tocsin.test_fork import in_child
from tests.until import until

BuildApp = Callable[..., Flask]


@pytest.fixture
def build_app(redis: RedisServer, extension: Tocsin) -> Iterator[BuildApp]:
    """An application factory."""
    apps: list[Flask] = []
    namespace = uuid4().hex

    def build(**config: Any) -> Flask:
        app = Flask("shop")
        app.config.update(TOCSIN_REDIS_URL=redis.url, TOCSIN_NAMESPACE=namespace, TOCSIN_CANARY_EVERY_S=0.1)
        app.config.update(TOCSIN_AGENT="thread")  # a process for each test would be a process too many
        app.config.update(config)
        extension.init_app(app)
        apps.append(app)
        return app

    yield build
    for app in apps:
        extension.stop(app)


def value(packed: bytes) -> Callable[[], Loaded]:
    """A loader that finds `packed`."""
    return lambda: Loaded(packed)


def test_settings_come_from_the_application_s_configuration(build_app: BuildApp) -> None:
    """Each field of CacheSettings under the prefix, texts converted."""
    app = build_app(TOCSIN_STRATEGY="ttl", TOCSIN_L1_TTL_S="2.5", OTHER_SETTING=1)
    settings = app.extensions["tocsin"].settings
    assert (settings.strategy, settings.l1_ttl_s) == (Strategy.TTL, 2.5)


def test_the_namespace_is_the_application_s_name_unless_set(extension: Tocsin) -> None:
    """Two applications on one Redis do not read each other's entries."""
    app = Flask("my shop: beta")
    extension.init_app(app)
    assert app.extensions["tocsin"].settings.namespace == "my-shop--beta"


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"TOCSIN_STRATEGI": "ttl"}, "TOCSIN_STRATEGI: there are .*TOCSIN_STRATEGY"),
        ({"TOCSIN_STRATEGY": "magic"}, "magic.*strategy"),
        ({"TOCSIN_L1_TTL_S": "soon"}, "l1_ttl_s"),
        ({"TOCSIN_REDIS_URL": "localhost"}, "redis_url"),
        ({"TOCSIN_SIGNING_KEYS": "secret"}, "token_bytes"),
    ],
)
def test_a_setting_that_can_t_be_meant_is_an_error_at_the_start(
    build_app: BuildApp, config: dict[str, Any], words: str
) -> None:
    """Not at the first request."""
    with pytest.raises(SettingsError, match=words):
        build_app(**config)


def test_one_extension_serves_several_applications(build_app: BuildApp, extension: Tocsin) -> None:
    """Each context sees its own application's cache."""
    apps = [build_app(TOCSIN_NAMESPACE=name) for name in ("one", "two")]
    for number, app in enumerate(apps):
        with app.app_context():
            assert extension.cache.get_or_load("key", value(b"%d" % number)) == b"%d" % number
    with apps[0].app_context():
        assert extension.cache.get_or_load("key", value(b"new")) == b"0"


def test_an_application_without_the_extension_is_told_so(extension: Tocsin) -> None:
    """And one that has it already."""
    app = Flask("bare")
    with app.app_context(), pytest.raises(SettingsError, match="call tocsin"):
        _ = extension.cache
    extension.init_app(app)
    with pytest.raises(SettingsError, match="has a Tocsin already"):
        extension.init_app(app)


def test_init_app_opens_nothing(build_app: BuildApp, redis: RedisServer) -> None:
    """No thread, no connection, so that a fork may follow."""
    threads = threading.active_count()
    with redis.client() as client:
        connections = len(client.client_list())
        app = build_app()
        assert threading.active_count() == threads
        assert len(client.client_list()) == connections
    assert not app.extensions["tocsin"].starting.unstarted.hearing().hears


def hears(app: Flask, extension: Tocsin) -> Cache:
    """Use the application's cache until it hears."""
    with app.app_context():
        cache = extension.cache
    until(lambda: cache.hearing().hears, within_s=WITHIN_S, waiting_for="the cache to hear its canary")
    return cache


def test_the_first_use_starts_the_cache_once(build_app: BuildApp, extension: Tocsin) -> None:
    """Eight threads at once make one listener."""
    app = build_app(TOCSIN_STRATEGY="pubsub")
    before = threading.active_count()
    barrier = threading.Barrier(8)

    def use() -> None:
        barrier.wait(WITHIN_S)
        with app.app_context():
            _ = extension.cache

    users = [threading.Thread(target=use) for _ in range(8)]
    for user in users:
        user.start()
    for user in users:
        user.join(WITHIN_S)
    hears(app, extension)
    assert threading.active_count() == before + 1


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_each_process_starts_its_own(build_app: BuildApp, extension: Tocsin) -> None:
    """An application made, and even used, before a fork works on both sides of it, and each hears the other."""
    app = build_app(TOCSIN_STRATEGY="pubsub", TOCSIN_L1_TTL_S=3600)
    cache = hears(app, extension)
    assert cache.get_or_load("key", value(b"old")) == b"old"
    parent = os.getpid()

    def child() -> None:
        assert os.getpid() != parent
        own = hears(app, extension)
        assert own.levels().entries == 0
        with app.app_context():
            assert not extension.invalidate(keys=("key",)).pending
        extension.stop(app)

    in_child(child)
    until(
        lambda: cache.get_or_load("key", value(b"new")) == b"new",
        within_s=WITHIN_S,
        waiting_for="the parent to hear its child",
    )


def test_a_hook_may_start_it_before_the_first_request(build_app: BuildApp, extension: Tocsin) -> None:
    """For instance gunicorn's `post_worker_init`."""
    app = build_app(TOCSIN_STRATEGY="pubsub")
    extension.start(app)
    cache = app.extensions["tocsin"].starting.unstarted
    until(lambda: cache.hearing().hears, within_s=WITHIN_S, waiting_for="the cache to hear its canary")


def test_a_memoized_function_belongs_to_the_current_application(build_app: BuildApp, extension: Tocsin) -> None:
    """Its results, and the codec that keeps them."""

    @extension.memoize()
    def number() -> int:
        return next(numbers)

    numbers = iter(range(1, 9))
    for app in (build_app(TOCSIN_NAMESPACE="three"), build_app(TOCSIN_NAMESPACE="four")):
        with app.app_context():
            first = number()
            assert number() == first
    assert next(numbers) == 3


def test_stats_say_how_the_cache_is_set_up(build_app: BuildApp, redis: RedisServer) -> None:
    """And whether Redis answers."""
    app = build_app(TOCSIN_STRATEGY="ttl")
    run = app.test_cli_runner().invoke
    assert run(args=["tocsin", "stats"]).output.splitlines()[0] == "strategy    ttl, cache-aside"
    assert "redis       answers" in run(args=["tocsin", "stats"]).output
    redis.stop()
    assert "redis       does not answer" in run(args=["tocsin", "stats"]).output


def test_explain_says_what_is_kept(build_app: BuildApp, extension: Tocsin, redis: RedisServer) -> None:
    """A value and how old, a known absence, nothing, an unreachable Redis."""
    app = build_app()
    run = app.test_cli_runner().invoke
    with app.app_context():
        extension.cache.read("there", lambda: Loaded(b"x", version=7))
        extension.cache.read("absent", lambda: Loaded(None))
    assert run(args=["tocsin", "explain", "there"]).output.startswith("there: hit, version 7, loaded ")
    assert run(args=["tocsin", "explain", "absent"]).output.startswith("absent: hit, known not to exist, loaded ")
    nothing = run(args=["tocsin", "explain", "nothing"])
    assert nothing.output.startswith("nothing: miss\n")
    assert "l2: no (cold): nothing is kept under this key" in nothing.output
    redis.stop()
    failed = run(args=["tocsin", "explain", "there"])
    assert failed.exit_code == 1
    assert "l2: no (redis-unreachable): Redis does not answer" in failed.output


def test_invalidate_forgets(build_app: BuildApp, extension: Tocsin, redis: RedisServer) -> None:
    """By key or tag; naming nothing, or a Redis that does not answer, is an error."""
    app = build_app()
    run = app.test_cli_runner().invoke
    for tag in ("a", "b"):
        with app.app_context():
            extension.cache.read(f"key:{tag}", lambda tag=tag: Loaded(b"old", tags=(tag,)))  # type: ignore[misc]
    assert run(args=["tocsin", "invalidate", "key:a", "--tag", "b"]).output == "invalidated key:a, b\n"
    for key in ("key:a", "key:b"):
        assert run(args=["tocsin", "explain", key]).output.startswith(f"{key}: miss\n")
    for form in (["--pattern", "key:*"], ["--everything"]):
        with app.app_context():
            extension.cache.read("key:a", lambda: Loaded(b"old"))
        assert run(args=["tocsin", "explain", "key:a"]).output.startswith("key:a: hit")
        assert run(args=["tocsin", "invalidate", *form]).exit_code == 0
        assert run(args=["tocsin", "explain", "key:a"]).output.startswith("key:a: miss\n")
    searched = run(args=["tocsin", "invalidate", "--pattern", "key:?"])
    assert searched.exit_code == 2
    assert "tags=" in searched.output
    assert run(args=["tocsin", "invalidate"]).exit_code == 2
    assert run(args=["tocsin", "invalidate", "\n"]).exit_code == 2
    redis.stop()
    assert run(args=["tocsin", "invalidate", "key:a"]).exit_code == 1


@pytest.mark.parametrize("strategy", ["pubsub", "sequenced", "strict"])
def test_watch_prints_what_is_invalidated(build_app: BuildApp, extension: Tocsin, strategy: str) -> None:
    """As it is told; with its number, where it has one."""
    app = build_app(TOCSIN_STRATEGY=strategy, TOCSIN_AGENT="thread")
    done = threading.Event()

    def invalidate() -> None:
        with app.app_context():
            while not done.wait(0.1):
                extension.invalidate(keys=("key:a",), tags=("t",))

    writer = threading.Thread(target=invalidate)
    writer.start()
    result = app.test_cli_runner().invoke(args=["tocsin", "watch", "--count", "2", "--seconds", "30"])
    done.set()
    writer.join(WITHIN_S)
    heading, *lines = result.output.splitlines()
    assert heading.startswith("watching")
    assert len(lines) == 2
    assert all(line.endswith("key:a  tag t") for line in lines)


def test_watch_says_where_there_is_nothing_to_watch(build_app: BuildApp, redis: RedisServer) -> None:
    """A strategy that tells nobody, a Redis that does not answer."""
    silent, cut = build_app(TOCSIN_STRATEGY="ttl"), build_app(TOCSIN_STRATEGY="sequenced")
    refused = silent.test_cli_runner().invoke(args=["tocsin", "watch"])
    assert (refused.exit_code, "nothing to watch" in refused.output) == (1, True)
    redis.stop()
    assert cut.test_cli_runner().invoke(args=["tocsin", "watch"]).exit_code == 1


def test_names_can_be_invalidated_by_a_write(build_app: BuildApp, extension: Tocsin) -> None:
    """`writing` announces and finishes around a commit."""
    app = build_app()
    with app.app_context():
        assert extension.cache.get_or_load("key", value(b"old")) == b"old"
        with extension.writing(keys=("key",)) as write:
            pass
        assert not write.receipt.pending
        assert extension.cache.get_or_load("key", value(b"new")) == b"new"
        assert not extension.cache.invalidate(Names(keys=("key",))).pending


def test_values_are_shared_by_key(build_app: BuildApp, extension: Tocsin) -> None:
    """With no loader at hand: what one worker sets, another gets."""
    one, other = build_app(), build_app()
    with one.app_context():
        assert extension.values.set("banner", ("sale", 7), ttl_s=60)
    with other.app_context():
        assert extension.values.get("banner") == ("sale", 7)
        assert extension.values.delete("banner")
