"""Cached views: kept under a key of all that varies them, told by ETags, forgotten by tag and by view."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import Flask, Response, abort, make_response, request
from tocsin.flask import Installed, Tocsin
from tocsin.signed_pickle import SignedPickleCodec

from tests.redis_server import RedisServer
from tests.rims.conftest import WITHIN_S
from tests.until import until


def test_an_answer_is_made_once_per_path_and_query(shop: Flask, extension: Tocsin, calls: Iterator[int]) -> None:
    """The order of differently named arguments is nothing."""

    @shop.get("/page/<name>")
    @extension.cached()
    def page(name: str) -> dict[str, object]:
        return {"name": name, "call": next(calls)}

    client = shop.test_client()
    asked = ["/page/a?x=1&y=2", "/page/a?y=2&x=1", "/page/a?x=1", "/page/b?x=1&y=2", "/page/a?x=1"]
    assert [client.get(path).get_json()["call"] for path in asked] == [1, 1, 2, 3, 2]
    assert client.get("/page/a?x=1", base_url="http://other").get_json()["call"] == 4


def test_only_reading_methods_are_cached(shop: Flask, extension: Tocsin, calls: Iterator[int]) -> None:
    """A POST is the view's."""

    @shop.route("/", methods=["GET", "POST"])
    @extension.cached()
    def page() -> str:
        return str(next(calls))

    client = shop.test_client()
    assert [client.get("/").text, client.post("/").text, client.post("/").text, client.get("/").text] == [
        "1",
        "2",
        "3",
        "1",
    ]
    assert client.head("/").status_code == 200
    assert client.head("/").text == ""


def test_an_answer_has_a_validator_and_becomes_a_304(shop: Flask, extension: Tocsin) -> None:
    """The entry's ETag; on the first answer and on those from the cache."""

    @shop.get("/")
    @extension.cached()
    def page() -> str:
        return "hello"

    client = shop.test_client()
    first, second = client.get("/"), client.get("/")
    assert first.headers["ETag"] == second.headers["ETag"]
    unchanged = client.get("/", headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.text) == (304, "")


def test_an_answer_is_forgotten_by_tag_and_by_view(shop: Flask, extension: Tocsin, calls: Iterator[int]) -> None:
    """Tags may come from the view's arguments."""

    @shop.get("/page/<name>")
    @extension.cached(tags=lambda name: (f"page:{name}",))
    def page(name: str) -> str:
        return str(next(calls))

    client = shop.test_client()
    assert [client.get(f"/page/{name}").text for name in "aba"] == ["1", "2", "1"]
    with shop.app_context():
        extension.invalidate(tags=("page:a",))
    assert [client.get(f"/page/{name}").text for name in "ab"] == ["3", "2"]
    with shop.app_context():
        page.invalidate_all()
    assert [client.get(f"/page/{name}").text for name in "ab"] == ["4", "5"]


def test_declared_inputs_are_in_the_key(shop: Flask, extension: Tocsin) -> None:
    """Header fields, and whatever a function can tell of the request."""

    @shop.get("/")
    @extension.cached(headers=("Accept-Language",), vary={"shop": lambda: request.cookies.get("shop")})
    def page() -> Response:
        response = make_response(f"{request.headers.get('Accept-Language')} {request.cookies.get('shop')}")
        response.vary.add("Accept-Language")
        return response

    client = shop.test_client()
    for _ in range(2):
        assert client.get("/", headers={"Accept-Language": "de"}).text == "de None"
        assert client.get("/", headers={"Accept-Language": "fr"}).text == "fr None"
    client.set_cookie("shop", "north")
    assert client.get("/", headers={"Accept-Language": "de"}).text == "de north"


def test_query_arguments_may_be_named(shop: Flask, extension: Tocsin, calls: Iterator[int]) -> None:
    """Then the others are not in the key."""

    @shop.get("/")
    @extension.cached(query=("page",))
    def page() -> str:
        return str(next(calls))

    client = shop.test_client()
    asked = ["/?page=1&utm=x", "/?utm=y&page=1", "/?page=2"]
    assert [client.get(path).text for path in asked] == ["1", "1", "2"]


def test_errors_and_streams_are_not_kept(shop: Flask, extension: Tocsin, calls: Iterator[int]) -> None:
    """Unless a status is declared; what the view raises is the application's."""

    @shop.get("/error")
    @extension.cached()
    def error() -> tuple[str, int]:
        return str(next(calls)), 503

    @shop.get("/stream")
    @extension.cached()
    def stream() -> Response:
        return Response(iter([str(next(calls)), "!"]))

    @shop.get("/abort")
    @extension.cached()
    def gone() -> str:
        abort(410, str(next(calls)))

    @shop.get("/declared")
    @extension.cached(statuses=(200, 404))
    def declared() -> tuple[str, int]:
        return str(next(calls)), 404

    client = shop.test_client()
    assert [client.get("/error").text for _ in range(2)] == ["1", "2"]
    assert [client.get("/stream").text for _ in range(2)] == ["3!", "4!"]
    assert [client.get("/abort").status_code for _ in range(2)] == [410, 410]
    assert next(calls) == 7
    assert [client.get("/declared").text for _ in range(2)] == ["8", "8"]


def test_without_redis_views_answer(shop: Flask, extension: Tocsin, calls: Iterator[int], redis: RedisServer) -> None:
    """It fails nobody, and works again by itself."""

    @shop.get("/")
    @extension.cached()
    def page() -> str:
        return str(next(calls))

    client = shop.test_client()
    redis.stop()
    assert client.get("/").status_code == 200
    redis.start()
    until(lambda: client.get("/").text == client.get("/").text, within_s=WITHIN_S, waiting_for="answers to be kept")


def test_a_value_of_another_release_is_made_again(shop: Flask, extension: Tocsin, calls: Iterator[int]) -> None:
    """What can't be read any more is forgotten."""

    @shop.get("/")
    @extension.cached()
    def page() -> str:
        return str(next(calls))

    client = shop.test_client()
    assert client.get("/").text == "1"
    installed: Any = shop.extensions["tocsin"]
    shop.extensions["tocsin"] = Installed(
        installed.settings, SignedPickleCodec([b"k" * 32]), installed.starting, installed.values
    )
    assert [client.get("/").text for _ in range(3)] == ["2", "3", "3"]
