"""Flask-Caching's own decorators and template tag, unchanged, on SimpleCache, RedisCache and TocsinCache alike."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Response, abort, jsonify, make_response, render_template_string, request
from flask_caching import CachedResponse
from werkzeug.exceptions import NotFound

from tests.rims.conftest import WITHIN_S, BuildSite, Site
from tests.rims.test_flask_caching_contract import BACKENDS
from tests.until import until


@pytest.fixture(params=BACKENDS)
def site(request: pytest.FixtureRequest, build_site: BuildSite) -> Site:
    """A site in debug mode, where errors of the cache are raised instead of logged."""
    site = build_site(request.param)
    site.app.debug = True
    return site


def test_a_view_is_computed_once_per_path(site: Site, calls: Iterator[int]) -> None:
    """And again after its timeout, or after `delete_cached`."""

    @site.app.get("/page/<name>")
    @site.cache.cached(timeout=60)
    def page(name: str) -> str:
        return f"{name} {next(calls)}"

    client = site.app.test_client()
    assert [client.get(f"/page/{name}").text for name in "aaba"] == ["a 1", "a 1", "b 2", "a 1"]
    with site.app.test_request_context():
        assert site.cache.delete_cached(page, "/page/a")
    assert client.get("/page/a").text == "a 3"


def test_a_query_string_is_part_of_the_key_in_any_order(site: Site, calls: Iterator[int]) -> None:
    """If the view says so."""

    @site.app.get("/search")
    @site.cache.cached(query_string=True)
    def search() -> str:
        return f"{sorted(request.args.items())} {next(calls)}"

    client = site.app.test_client()
    assert client.get("/search?a=1&b=2").text == client.get("/search?b=2&a=1").text
    assert client.get("/search?a=1&b=3").text.endswith(" 2")


def test_unless_and_forced_update_and_is_stale_decide_per_call(site: Site, calls: Iterator[int]) -> None:
    """Bypass, renew, renew if the value says so."""

    @site.app.get("/")
    @site.cache.cached(
        unless=lambda: "bypass" in request.args,
        forced_update=lambda: "renew" in request.args,
        is_stale=lambda value: value == "2",
    )
    def page() -> str:
        return str(next(calls))

    client = site.app.test_client()
    asked = ["/", "/", "/?bypass", "/", "/?renew", "/", "/?renew"]
    assert [client.get(path).text for path in asked] == ["1", "1", "2", "1", "3", "3", "4"]


def test_a_response_filter_keeps_errors_out(site: Site, calls: Iterator[int]) -> None:
    """What it refuses is computed again."""

    @site.app.get("/")
    @site.cache.cached(response_filter=lambda value: value[1] == 200)
    def page() -> tuple[str, int]:
        number = next(calls)
        return str(number), 500 if number == 1 else 200

    client = site.app.test_client()
    assert [client.get("/").text for _ in range(3)] == ["1", "2", "2"]


@pytest.mark.parametrize(
    "value",
    [
        "text",
        {"json": [1]},
        ("created", 201, {"X-Made": "yes"}),
        ["list"],
    ],
)
def test_whatever_a_view_may_return_is_kept(site: Site, value: Any) -> None:
    """The second answer is the first one."""

    @site.app.get("/")
    @site.cache.cached()
    def page() -> Any:
        return value

    first, second = (site.app.test_client().get("/") for _ in range(2))
    assert (first.status, first.headers, first.data) == (second.status, second.headers, second.data)


def test_a_response_is_kept_with_its_status_and_header_fields(site: Site, calls: Iterator[int]) -> None:
    """Repeated fields too, in their order."""

    @site.app.get("/")
    @site.cache.cached()
    def page() -> Response:
        response = make_response(jsonify(number=next(calls)), 203)
        response.headers.add("Link", "</a>; rel=a")
        response.headers.add("Link", "</b>; rel=b")
        return response

    first, second = (site.app.test_client().get("/") for _ in range(2))
    assert second.json == {"number": 1}
    assert second.status_code == 203
    assert second.headers.getlist("Link") == ["</a>; rel=a", "</b>; rel=b"]
    assert second.headers == first.headers


def test_a_cached_response_brings_its_own_timeout(site: Site, calls: Iterator[int]) -> None:
    """`CachedResponse` overrides the decorator's."""

    @site.app.get("/")
    @site.cache.cached(timeout=600)
    def page() -> Response:
        return CachedResponse(make_response(str(next(calls))), timeout=1)

    client = site.app.test_client()
    assert [client.get("/").text for _ in range(2)] == ["1", "1"]
    until(lambda: client.get("/").text != "1", within_s=WITHIN_S, waiting_for="the response's own timeout")


def test_an_abort_is_kept_like_a_response(site: Site, calls: Iterator[int]) -> None:
    """The same exception is raised again, so that the application's error handlers see it."""

    @site.app.errorhandler(NotFound)
    def handle(error: NotFound) -> tuple[str, int]:
        return f"handled: {error.description}", 404

    @site.app.get("/")
    @site.cache.cached()
    def page() -> str:
        abort(404, f"gone {next(calls)}")

    @site.app.get("/own")
    @site.cache.cached()
    def own() -> str:
        abort(Response(f"own {next(calls)}", 418))

    client = site.app.test_client()
    for _ in range(2):
        assert (client.get("/").status_code, client.get("/").text) == (404, "handled: gone 1")
        assert (client.get("/own").status_code, client.get("/own").text) == (418, "own 2")


def test_a_generator_is_joined(site: Site) -> None:
    """As Flask-Caching does, before it stores."""

    @site.app.get("/")
    @site.cache.cached()
    def page() -> Iterator[str]:
        yield "a"
        yield "b"

    assert [site.app.test_client().get("/").text for _ in range(2)] == ["ab", "ab"]


def test_none_is_kept_if_asked_for(site: Site, calls: Iterator[int]) -> None:
    """With `cache_none`; else a function that returns None is called each time."""

    @site.cache.memoize(cache_none=True)
    def keeps() -> None:
        next(calls)

    @site.cache.memoize()
    def does_not() -> None:
        next(calls)

    with site.app.app_context():
        for _ in range(3):
            assert keeps() is None
        assert next(calls) == 2
        for _ in range(3):
            assert does_not() is None
        assert next(calls) == 6


def test_a_memoized_function_is_called_once_per_arguments(site: Site, calls: Iterator[int]) -> None:
    """However they are given; and again for those, or for all, that were deleted."""

    @site.cache.memoize(timeout=60)
    def add(a: int, b: int = 2) -> tuple[int, int]:
        return a + b, next(calls)

    with site.app.app_context():
        assert [add(1), add(1, 2), add(a=1, b=2), add(2)] == [(3, 1), (3, 1), (3, 1), (4, 2)]
        site.cache.delete_memoized(add, 1)
        assert [add(1), add(2)] == [(3, 3), (4, 2)]
        site.cache.delete_memoized(add)
        assert [add(1), add(2)] == [(3, 4), (4, 5)]
        site.cache.delete_memoized_verhash(add)
        assert [add(1), add(2)] == [(3, 6), (4, 7)]


def test_methods_are_memoized_per_instance(site: Site, calls: Iterator[int]) -> None:
    """Deleted for one instance, or for all."""

    class Adder:
        def __init__(self, name: str) -> None:
            self.name = name

        def __repr__(self) -> str:
            return f"Adder({self.name})"

        @site.cache.memoize()
        def add(self, b: int) -> int:
            return next(calls)

        @classmethod
        @site.cache.memoize()
        def make(cls, b: int) -> int:
            return next(calls) * b

    with site.app.app_context():
        one, other = Adder("one"), Adder("other")
        assert [one.add(1), other.add(1), one.add(1)] == [1, 2, 1]
        site.cache.delete_memoized(one.add)
        assert [one.add(1), other.add(1)] == [3, 2]
        site.cache.delete_memoized(Adder.add)
        assert [one.add(1), other.add(1)] == [4, 5]
        make: Any = Adder.make
        assert [make(1), make(1)] == [6, 6]
        site.cache.delete_memoized(make, Adder, 1)
        assert make(1) == 7


def test_a_fragment_of_a_template_is_kept_as_markup(site: Site, calls: Iterator[int]) -> None:
    """And is not escaped a second time."""

    @site.app.get("/")
    def page() -> str:
        return render_template_string("{% cache 60, 'part' %}<b>{{ number }}</b>{% endcache %}", number=next(calls))

    assert [site.app.test_client().get("/").text for _ in range(2)] == ["<b>1</b>", "<b>1</b>"]
