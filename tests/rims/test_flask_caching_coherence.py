"""What TocsinCache adds to Flask-Caching: workers that agree, late values refused, and nothing executed or leaked."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from flask import Flask, Response, make_response, stream_with_context
from flask_caching import Cache
from tocsin.codec import Unstorable

from tests.redis_server import RedisServer
from tests.rims.conftest import WITHIN_S, BuildSite, Site
from tests.rims.test_codec import EXECUTED, Colour, Runs
from tests.until import until


@pytest.fixture(params=["pubsub", "sequenced"])
def workers(request: pytest.FixtureRequest, build_site: BuildSite) -> tuple[Site, Site]:
    """Two workers of one site that hear each other, with an L1 that would last for an hour."""
    settings = {"CACHE_TOCSIN_L1_TTL_S": 3600, "CACHE_TOCSIN_L2_TTL_S": 3600}
    one, other = (build_site(f"TocsinCache {request.param}", **settings) for _ in range(2))
    for site in (one, other):
        until(site.backend.hears, within_s=WITHIN_S, waiting_for="the worker to hear its canary")
    return one, other


def agrees(site: Site, key: str, value: object) -> None:
    """Wait until a worker's get returns `value`."""
    until(lambda: site.backend.get(key) == value, within_s=WITHIN_S, waiting_for=f"{key} to be {value!r}")


CHANGES: dict[str, tuple[Callable[[Any], object], object]] = {
    "set": (lambda backend: backend.set("n", 5), 5),
    "set_many": (lambda backend: backend.set_many({"n": 6}), 6),
    "delete": (lambda backend: backend.delete("n"), None),
    "delete_many": (lambda backend: backend.delete_many("n", "m"), None),
    "inc": (lambda backend: backend.inc("n"), 2),
    "dec": (lambda backend: backend.dec("n"), 0),
    "clear": (lambda backend: backend.clear(), None),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_one_worker_changes_the_other_sees(workers: tuple[Site, Site], change: str) -> None:
    """Although the other had the old value in its own memory; the one that changes it sees it at once."""
    one, other = workers
    one.backend.set("n", 1)
    agrees(other, "n", 1)
    act, value = CHANGES[change]
    act(one.backend)
    assert one.backend.get("n") == value
    agrees(other, "n", value)


def test_what_one_worker_adds_the_other_sees(workers: tuple[Site, Site]) -> None:
    """Although it had just been told that there is nothing."""
    one, other = workers
    assert other.backend.get("n") is None
    one.backend.add("n", 1)
    agrees(other, "n", 1)


def test_a_value_in_memory_ends_with_its_timeout(workers: tuple[Site, Site]) -> None:
    """A copy does not begin a new life: not in the other worker, nor for the time it takes L1 to forget."""
    one, other = workers
    one.backend.set("n", 1, timeout=1)
    agrees(other, "n", 1)
    until(lambda: not one.backend.has("n"), within_s=WITHIN_S, waiting_for="the timeout")
    assert other.backend.get("n") is None


def test_a_function_forgotten_by_one_worker_is_called_again_by_the_other(workers: tuple[Site, Site]) -> None:
    """`delete_memoized`, for some arguments and for all."""
    calls = count(1)
    functions = []
    for site in workers:

        @site.cache.memoize()
        def rate(currency: str) -> int:
            return next(calls)

        functions.append(rate)
    (one, other), (forget, use) = workers, functions
    with other.app.app_context():
        assert [use("EUR"), use("EUR")] == [1, 1]
    for arguments in (("EUR",), ()):
        with other.app.app_context():
            before = use("EUR")
        with one.app.app_context():
            one.cache.delete_memoized(forget, *arguments)

        def renewed(before: int = before) -> bool:
            with other.app.app_context():
                return use("EUR") != before

        until(renewed, within_s=WITHIN_S, waiting_for="the other worker to call the function again")


FORGETTING: dict[str, Callable[[Any], object]] = {
    "delete": lambda backend: backend.delete("page"),
    "delete_many": lambda backend: backend.delete_many("page"),
    "clear": lambda backend: backend.clear(),
}


@pytest.mark.parametrize("forgetting", FORGETTING)
def test_a_view_computed_before_a_deletion_is_not_kept_after_it(workers: tuple[Site, Site], forgetting: str) -> None:
    """The late fill (hazard 1): it is returned to its own client, and nobody else.

    one: get: nothing … computes from the old rows ............... set: refused
    other:                       commits new rows, deletes
    """
    one, other = workers
    rows = ["old"]

    @one.app.get("/")
    @one.cache.cached(key_prefix="page")
    def page() -> str:
        value = rows[-1]
        if value == "old":
            rows.append("new")
            FORGETTING[forgetting](other.backend)
        return value

    client = one.app.test_client()
    assert [client.get("/").text for _ in range(3)] == ["old", "new", "new"]
    assert rows == ["old", "new"]


def test_a_memoized_version_that_was_reset_stays_reset(
    workers: tuple[Site, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each call memoize reads its version hash and writes it again, to prolong it; not over a newer one.

    one: calls, reads hash 1 .......................... writes hash 1: refused
    other:                    delete_memoized: hash 2
    """
    one, other = workers
    calls = count(1)

    def rate() -> int:
        return next(calls)

    use, forget = one.cache.memoize()(rate), other.cache.memoize()(rate)
    writes = count(1)
    write = one.backend.set_many

    def late_write(*arguments: Any, **named: Any) -> Any:
        if next(writes) == 3:  # after a new hash and the value: the hash again
            with other.app.app_context():
                other.cache.delete_memoized(forget)
        return write(*arguments, **named)

    monkeypatch.setattr(one.backend, "set_many", late_write)
    values = []
    for _ in range(3):
        with one.app.app_context():
            values.append(use())
    assert values == [1, 2, 2]


def test_a_set_is_no_late_value_unless_its_own_request_saw_nothing(workers: tuple[Site, Site]) -> None:
    """Outside of a request, or after the request changed the key itself, a set always sets."""
    one, other = workers
    one.backend.get("n")
    other.backend.delete("n")
    assert one.backend.set("n", 1) is True
    with one.app.app_context():
        one.backend.delete("n")
        one.backend.get("n")
        one.backend.delete("n")
        assert one.backend.set("n", 2) is True
        one.backend.get("m")
        other.backend.set("m", 1)
        assert one.backend.set("m", 2) is True
    assert one.backend.get_many("n", "m") == [2, 2]


def test_a_response_that_sets_a_cookie_is_returned_and_not_kept(build_site: BuildSite, caplog: Any) -> None:
    """Its cookie is one client's; a warning says so."""
    site = build_site()
    calls = count(1)

    @site.app.get("/")
    @site.cache.cached()
    def page() -> Response:
        response = make_response("hello")
        response.set_cookie("session", str(next(calls)))
        return response

    client = site.app.test_client()
    assert [client.get("/").headers["Set-Cookie"] for _ in range(2)] == ["session=1; Path=/", "session=2; Path=/"]
    assert "not cached: a response with Set-Cookie" in caplog.text


def test_a_streamed_response_reaches_its_client_whole(build_site: BuildSite, caplog: Any) -> None:
    """It can't be kept, and is not read to find that out."""
    site = build_site()

    @site.app.get("/")
    @site.cache.cached()
    def page() -> Response:
        return Response(stream_with_context(iter(["a", "b"])))

    assert [site.app.test_client().get("/").text for _ in range(2)] == ["ab", "ab"]
    assert "streamed" in caplog.text


def test_what_the_default_codec_can_t_hold_is_an_error_that_names_the_signed_one(build_site: BuildSite) -> None:
    """Nothing is pickled unless asked for."""
    with pytest.raises(Unstorable, match="SignedPickleCodec"):
        build_site().backend.set("key", Colour.RED)


def test_the_signed_codec_holds_any_picklable_value(build_site: BuildSite) -> None:
    """Chosen by giving keys; the first of them signs."""
    backend = build_site(CACHE_TOCSIN_SIGNING_KEYS=[b"k" * 32]).backend
    backend.set("key", Colour.RED)
    assert backend.get("key") is Colour.RED
    assert backend.inc("number") == 1


@pytest.mark.parametrize("keys", [None, [b"k" * 32]])
def test_a_pickle_that_somebody_put_into_redis_is_not_executed(
    build_site: BuildSite, redis: RedisServer, keys: list[bytes] | None
) -> None:
    """It reads as nothing."""
    EXECUTED.clear()
    backend = build_site(CACHE_TOCSIN_SIGNING_KEYS=keys).backend
    backend.set("key", "value")
    with redis.client() as client:
        for name in client.scan_iter("*:value:*"):
            for forged in (pickle.dumps(Runs()), b"p" + b"\0" * 32 + pickle.dumps(Runs())):
                client.set(name, forged)
    assert backend.get("key") is None
    assert EXECUTED == []


class OwnResponse(Response):
    """An application's own class of responses."""

    def greets(self) -> bool:
        """Do what only this class does."""
        return self.get_data() == b"hello"


def test_an_application_s_own_response_class_comes_back_as_itself(redis: RedisServer) -> None:
    """Other subclasses are refused by name, as nobody said how to make them."""
    app = Flask("own")
    app.response_class = OwnResponse
    app.config.update(CACHE_TYPE="tocsin.flask_caching.TocsinCache", CACHE_REDIS_URL=redis.url)
    cache = Cache(app)

    class Foreign(Response):
        """A class that nobody registered."""

    with app.app_context():
        cache.set("own", OwnResponse("hello", 201))
        kept = cache.get("own")
        assert type(kept) is OwnResponse
        assert kept.greets()
        assert kept.status_code == 201
        with pytest.raises(Unstorable, match="Foreign"):
            cache.set("foreign", Foreign("hello"))
    Site(app, cache).backend.close()
