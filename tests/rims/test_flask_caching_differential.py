"""Three backends are told the same things: what SimpleCache and RedisCache answer alike, TocsinCache answers too.

The sequences are generated. Where the two of Flask-Caching differ from each other nothing is generated: what is decided
there has a test of its own in `test_flask_caching_contract`, and a row in docs/flask.md.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask, abort, make_response, request
from flask_caching import Cache
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.rims.conftest import BuildSite, Site

TRIED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
NAMES = ["a", "b", "ключ", "", "with space", "line\nbreak", "100%s", "a" * 300]
KEYS: list[Any] = [*NAMES, 7, len, ("tuple", 1), b"bytes", None]
COUNTED_MAX = 2**62

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8")),
    st.binary(),
    st.decimals(allow_nan=False),
    st.datetimes(timezones=st.sampled_from([None, datetime.UTC])),
    st.dates(),
    st.timedeltas(),
    st.uuids(),
    st.sampled_from([0, 1, True, False, "", b"", 0.0, Decimal(0), "0", "None", b"!", b"m"]),
)
hashable = st.recursive(scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(hashable, inner, max_size=3),
        st.sets(hashable, max_size=3),
    ),
    max_leaves=8,
)
timeouts: st.SearchStrategy[Any] = st.none() | st.sampled_from(
    [None, 0, 60, 10**6, datetime.timedelta(0), datetime.timedelta(minutes=1), "soon", [], 1 + 0j]
)
keys = st.just("a") | st.just("a") | st.sampled_from(KEYS)  # most calls meet
several = st.lists(keys, min_size=1, max_size=4)
deltas = st.sampled_from([1, 0, -1, 5, 10**9])

calls = st.one_of(
    st.tuples(st.just("get"), st.tuples(keys)),
    st.tuples(st.just("has"), st.tuples(keys)),
    st.tuples(st.just("get_many"), several.map(tuple)),
    st.tuples(st.just("get_dict"), several.map(tuple)),
    st.tuples(st.just("set"), st.tuples(keys, values, timeouts)),
    st.tuples(st.just("add"), st.tuples(keys, values, timeouts)),
    st.tuples(st.just("set_many"), st.tuples(st.dictionaries(keys, values, min_size=1, max_size=4), timeouts)),
    st.tuples(st.just("delete"), st.tuples(keys)),
    st.tuples(st.just("delete_many"), several.map(tuple)),
    st.tuples(st.just("inc"), st.tuples(keys, deltas)),
    st.tuples(st.just("dec"), st.tuples(keys, deltas)),
    st.tuples(st.just("clear"), st.just(())),
)


def answered(backend: Any, name: str, arguments: tuple[Any, ...]) -> tuple[str, Any]:
    """What a call returned, with its types, or the kind of error that it raised."""
    try:
        returned = getattr(backend, name)(*arguments)
    except Exception as error:  # noqa: BLE001  # every error is an answer here
        return "raised", TypeError if isinstance(error, TypeError) else type(error)
    # `clear` of an empty cache is one of the documented differences.
    return "returned", None if name == "clear" else typed(returned)


def typed(value: Any) -> Any:
    """The value with the type of each part, as 1, 1.0 and True are equal, and so are a date and a moment to some."""
    if isinstance(value, list | tuple):
        return type(value), [typed(each) for each in value]
    if isinstance(value, dict):
        return type(value), [(typed(key) if not callable(key) else key, typed(each)) for key, each in value.items()]
    if isinstance(value, set | frozenset):
        return type(value), sorted(map(repr, map(typed, value)))
    return type(value), repr(value)


def can_be_counted(backend: Any, key: Any) -> bool:
    """Whether all backends would count there: a whole number of a size that leaves room, or nothing."""
    there = backend.get(key)
    return (type(there) is int and abs(there) < COUNTED_MAX) or not backend.has(key)


@pytest.fixture
def sites(build_site: BuildSite) -> list[Site]:
    """One of each: SimpleCache, RedisCache, TocsinCache."""
    return [build_site(each) for each in ("SimpleCache", "RedisCache", "TocsinCache sequenced")]


@TRIED
@given(sequence=st.lists(calls, min_size=8, max_size=25), in_a_request=st.booleans())
def test_whatever_is_called_is_answered_alike(
    sites: list[Site], sequence: list[tuple[str, tuple[Any, ...]]], in_a_request: bool
) -> None:
    """Values, types, truth, errors, and what is there afterwards; within one request or outside of any."""
    simple, redis, tocsin = backends = [site.backend for site in sites]
    for backend in backends:
        backend.clear()
    with sites[2].app.test_request_context() if in_a_request else contextlib.nullcontext():
        for name, arguments in sequence:
            if name in ("inc", "dec") and not can_be_counted(simple, arguments[0]):
                continue
            expected = answered(simple, name, arguments)
            assert answered(redis, name, arguments) == expected, (name, arguments)
            assert answered(tocsin, name, arguments) == expected, (name, arguments)
    for key in KEYS:
        assert answered(tocsin, "get", (key,)) == answered(simple, "get", (key,))
        assert tocsin.has(key) == simple.has(key)


VIEWS: dict[str, dict[str, Any]] = {
    "plain": {},
    "query": {"query_string": True},
    "own": {"make_cache_key": lambda **arguments: f"own {arguments} {request.args.get('page')}"},
    "prefix": {"key_prefix": "shared"},
    "prefixed": {"key_prefix": lambda: f"for {request.args.get('page')}"},
    "unless": {"unless": lambda: "bypass" in request.args},
    "unless_with": {"unless": lambda _function, **arguments: arguments.get("word") == "one"},
    "forced": {"forced_update": lambda: "renew" in request.args},
    "stale": {"is_stale": lambda answer: isinstance(answer, tuple) and answer[1] == 500},
    "filtered": {"response_filter": lambda answer: not isinstance(answer, tuple) or answer[1] == 200},
    "hashed": {"query_string": True, "hash_method": hashlib.sha1},
    "source": {"source_check": True},
    "hit": {"response_hit_indication": True},
    "for_ever": {"timeout": 0},
}
FUNCTIONS: dict[str, dict[str, Any]] = {
    "memoized": {},
    "keeps_none": {"cache_none": True},
    "named": {"make_name": lambda name: f"{name} 2"},
    "ignoring": {"args_to_ignore": ["b"]},
    "bypassed": {"unless": lambda _function, a, *_more, **_named: a == "one"},
    "renewed": {"forced_update": lambda a, *_more, **_named: a == "two"},
    "refused": {"response_filter": lambda found: found is not None and found[-1] % 2 == 0},
    "sourced": {"source_check": True, "hash_method": hashlib.md5},
}


def view(name: str) -> Callable[..., Any]:
    """A view whose answer tells how often it was called."""
    calls = itertools.count(1)

    def page(**arguments: str) -> Any:
        number = next(calls)
        if "abort" in request.args:
            abort(404, str(number))
        if "none" in request.args:
            return make_response(b"", 204)
        return f"{name} {sorted(arguments.items())} {number}", 200 if number % 3 else 500, {"X-Number": str(number)}

    page.__name__ = name
    return page


def function(name: str) -> Callable[..., Any]:
    """A function whose answer tells how often it was called; sometimes it has none."""
    calls = itertools.count(1)

    def work(a: str, b: str = "b", *more: str, **named: str) -> Any:
        number = next(calls)
        return None if a == "none" else (a, b, more, tuple(sorted(named.items())), number)

    work.__name__ = work.__qualname__ = name
    return work


def shop(app: Flask, cache: Cache) -> None:
    """Views and functions with every option of the decorators, and ways to call and to forget them."""
    for name, options in VIEWS.items():
        app.add_url_rule(f"/{name}/<word>", name, cache.cached(**options)(view(name)))
    functions: dict[str, Any] = {name: cache.memoize(**options)(function(name)) for name, options in FUNCTIONS.items()}

    @app.post("/functions/<name>/<what>")
    def run(name: str, what: str) -> str:
        arguments = request.args.getlist("a")
        named = {key: value for key, value in request.args.items() if key in ("b", "c")}
        match what:
            case "call":
                return repr(functions[name](*arguments, **named))
            case "delete":
                cache.delete_memoized(functions[name], *arguments, **named)
            case "delete_all":
                cache.delete_memoized(functions[name])
            case _:
                cache.delete_memoized_verhash(functions[name])
        return "deleted"

    @app.post("/views/<name>/<word>")
    def delete(name: str, word: str) -> str:
        cached: Any = app.view_functions[name]
        return repr(cache.delete_cached(cached, f"/{name}/{word}", request.query_string.decode()))

    @app.post("/clear")
    def clear() -> str:
        cache.clear()
        return "cleared"


queries = st.sampled_from(["", "page=1&x=2", "x=2&page=1", "page=2", "bypass=1", "renew=1", "abort=1", "none=1"])
arguments = st.sampled_from(
    ["a=one", "a=two", "a=none", "a=one&a=b", "a=one&b=b", "a=one&a=x", "a=one&a=b&a=c", "a=one&c=c"]
)
words = st.sampled_from(["one", "two"])
asked = st.one_of(
    st.builds(lambda name, word, query: ("GET", f"/{name}/{word}?{query}"), st.sampled_from([*VIEWS]), words, queries),
    st.builds(
        lambda name, what, given: ("POST", f"/functions/{name}/{what}?{given}"),
        st.sampled_from([*FUNCTIONS]),
        st.sampled_from(["call", "call", "call", "delete", "delete_all", "verhash"]),
        arguments,
    ),
    st.builds(
        lambda name, word, query: ("POST", f"/views/{name}/{word}?{query}"),
        st.sampled_from([name for name in VIEWS if name != "own"]),
        words,
        queries,
    ),
    st.just(("POST", "/clear")),
)


@TRIED
@given(sequence=st.lists(asked, min_size=8, max_size=30))
def test_whatever_is_asked_of_decorated_views_and_functions_is_answered_alike(
    build_site: BuildSite, sequence: list[tuple[str, str]]
) -> None:
    """Status, header fields, body, and how often each function was called; with every option of the decorators."""
    built = [build_site(each) for each in ("SimpleCache", "RedisCache", "TocsinCache sequenced")]
    try:
        transcripts = [transcript(site, sequence) for site in built]
    finally:
        built[2].backend.close()
    simple, redis, tocsin = transcripts
    assert redis == simple
    assert tocsin == simple


def transcript(site: Site, sequence: list[tuple[str, str]]) -> list[tuple[str, str, str, list[Any]]]:
    """What a new shop on the site's cache answers."""
    site.backend.clear()
    shop(site.app, site.cache)
    site.app.debug = True  # errors of the cache are raised
    client = site.app.test_client()
    told = []
    for method, path in sequence:
        answer = client.open(path, method=method)
        told.append((path, answer.status, answer.text, sorted(answer.headers)))
    return told
