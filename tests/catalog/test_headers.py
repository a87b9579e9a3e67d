"""Headers: cache classes, validators, Vary, and what every answer carries."""

from __future__ import annotations

import pytest
from catalog.web.cache_class import CacheClass, class_of

from tests.catalog.shop import SECRET, Shop

CLASSES = {
    "/": CacheClass.NO_CACHE,
    "/api/products": CacheClass.PUBLIC,
    "/api/products/1": CacheClass.PUBLIC,
    "/api/products/4040": CacheClass.PUBLIC,
    "/api/dashboard": CacheClass.PRIVATE,
    "/openapi.json": CacheClass.PUBLIC,
    "/healthz": CacheClass.NO_STORE,
    "/metrics": CacheClass.NO_STORE,
    "/_tocsin/state": CacheClass.NO_STORE,
    "/nothing": CacheClass.NO_STORE,
}


def test_every_route_declares_its_class(shop: Shop) -> None:
    """A route that forgot to say who may keep its answers fails here."""
    undeclared = [
        rule.rule
        for rule in shop.application.url_map.iter_rules()
        if class_of(shop.application.view_functions[rule.endpoint]) is None
    ]
    assert not undeclared


@pytest.mark.parametrize(("path", "expected"), CLASSES.items())
def test_the_class_is_in_cache_control(shop: Shop, path: str, expected: CacheClass) -> None:
    """Each class has one value of Cache-Control."""
    assert shop.get(path, Tocsin_Secret=SECRET).headers["Cache-Control"] == expected.value


@pytest.mark.parametrize("path", CLASSES)
def test_every_answer_says_who_gave_it(shop: Shop, path: str) -> None:
    """X-Node, X-Worker and Cache-Status are on every answer, errors included."""
    answer = shop.get(path)
    assert (answer.headers["X-Node"], answer.headers["X-Worker"]) == ("node-1", "node-1/worker-1")
    assert answer.headers["Cache-Status"].startswith("tocsin-")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_an_answer_that_read_nothing_says_so(shop: Shop) -> None:
    """Both levels were passed over: `method` for a write, `bypass` for a route that is not cached."""
    assert shop.get("/healthz").headers["Cache-Status"] == "tocsin-l2;fwd=bypass, tocsin-l1;fwd=bypass"
    assert shop.put(1).headers["Cache-Status"] == "tocsin-l2;fwd=method, tocsin-l1;fwd=method"


@pytest.mark.parametrize("path", ["/", "/api/products", "/api/products/1", "/api/dashboard", "/openapi.json"])
def test_what_may_be_kept_has_a_strong_validator(shop: Shop, path: str) -> None:
    """The ETag is the same for the same bytes, and saves them: a 304 has the fields of the 200 and no body."""
    first, second = shop.get(path), shop.get(path)
    etag = second.headers["ETag"]
    assert etag.startswith('"')
    if path != "/":  # the front page says from which level it came
        assert first.headers["ETag"] == etag
    unchanged = shop.get(path, If_None_Match=etag)
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    for name in ("ETag", "Cache-Control", "Vary"):
        assert unchanged.headers.get(name) == second.headers.get(name)
    assert "Content-Type" not in unchanged.headers


@pytest.mark.parametrize(
    ("field", "status"),
    [
        ("{etag}", 304),
        ("W/{etag}", 304),  # If-None-Match compares weakly (RFC 9110, section 13.1.2)
        ('"other", {etag}', 304),
        ('"other" , W/{etag},"third"', 304),
        ("*", 304),
        ('"other"', 200),
        ("", 200),
        ("not an etag", 200),
    ],
)
def test_if_none_match_is_a_list(shop: Shop, field: str, status: int) -> None:
    """Any member may match, weakly; what can't be read matches nothing."""
    etag = shop.get("/api/products/1").headers["ETag"]
    assert shop.get("/api/products/1", If_None_Match=field.format(etag=etag)).status_code == status
    assert shop.client.head("/api/products/1", headers={"If-None-Match": field.format(etag=etag)}).status_code == status


def test_if_match_counts_for_reads_too(shop: Shop) -> None:
    """If-Match that does not hold is 412, also for GET; it compares strongly, and before If-None-Match."""
    etag = shop.get("/api/products/1").headers["ETag"]
    assert shop.get("/api/products/1", If_Match=etag).status_code == 200
    assert shop.get("/api/products/1", If_Match=f"W/{etag}").status_code == 412
    assert shop.get("/api/products/1", If_Match='"other"', If_None_Match=etag).status_code == 412


def test_conditions_count_for_nothing_where_there_is_nothing(shop: Shop) -> None:
    """Conditions on what would be an error anyway are ignored (RFC 9110, section 13.2.1)."""
    for headers in ({"If_None_Match": "*"}, {"If_Match": "*"}):
        assert shop.get("/api/products/4040", **headers).status_code == 404


def test_a_write_changes_the_validator(shop: Shop) -> None:
    """Another version is another representation, even with the same members; changed back it is not the first again."""
    etags = [shop.get("/api/products/1").headers["ETag"]]
    for price in (1, 44.9):
        shop.send("PATCH", "/api/products/1", {"price": price})
        etags.append(shop.get("/api/products/1").headers["ETag"])
    assert len(set(etags)) == 3


def test_options_says_what_is_allowed(shop: Shop) -> None:
    """OPTIONS lists the methods of a route and is kept by nobody."""
    answer = shop.client.options("/api/products/1")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/products/1"), ("DELETE", "/api/products"), ("PUT", "/")])
def test_a_wrong_method_is_told_the_right_ones(shop: Shop, method: str, path: str) -> None:
    """405 with Allow."""
    answer = shop.send(method, path)
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]
    assert answer.get_json()["detail"].startswith(f"{method} is not served at {path}")
