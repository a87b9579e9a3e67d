"""Reads: products, lists, the front page and static files, as a client of one worker sees them."""

from __future__ import annotations

import re

import pytest
from catalog.dashboard import CATEGORIES

from tests.catalog.conftest import OpenShop
from tests.catalog.shop import Shop


def test_a_product_is_served_whole(any_shop: Shop) -> None:
    """The members of the contract, in its order; price is a number, version an integer from 1."""
    body = any_shop.get("/api/products/1").get_json()
    assert list(body) == ["id", "name", "price", "category", "description", "version"]
    assert (body["id"], body["price"], body["category"], body["version"]) == (1, 44.9, "kitchen", 1)


def test_each_level_answers_in_its_turn(open_here: OpenShop) -> None:
    """First the database, then this worker's own memory; another worker finds it in Redis. The bytes are the same."""
    one, other = open_here(), open_here()
    answers = [one.get("/api/products/1"), one.get("/api/products/1"), other.get("/api/products/1")]
    assert [answer.headers["Cache-Status"] for answer in answers] == [
        "tocsin-l2;fwd=uri-miss;stored;ttl=30, tocsin-l1;fwd=uri-miss",
        "tocsin-l1;hit;ttl=1",
        "tocsin-l2;hit;ttl=29, tocsin-l1;fwd=uri-miss",
    ]
    assert len({answer.data for answer in answers}) == 1


@pytest.mark.parametrize(
    ("strategy", "levels"),
    [
        ("no-cache", ["tocsin-l2"]),
        ("l2-only", ["tocsin-l2"]),
        ("ttl", ["tocsin-l2", "tocsin-l1"]),
        ("versioned", ["tocsin-l2", "tocsin-l1"]),
    ],
)
def test_the_levels_are_the_strategys(open_here: OpenShop, strategy: str, levels: list[str]) -> None:
    """Cache-Status has one member for each level that the strategy has."""
    shop = open_here(TOCSIN_STRATEGY=strategy)
    members = shop.get("/api/products/1").headers["Cache-Status"].split(", ")
    assert [member.split(";")[0] for member in members] == levels


def test_redis_out_of_reach_is_no_error(open_here: OpenShop) -> None:
    """Without Redis a product comes from the database, and Cache-Status says why."""
    shop = open_here(REDIS_URL="redis://127.0.0.1:1/0")
    answer = shop.get("/api/products/1")
    assert answer.status_code == 200
    assert 'tocsin-l2;fwd=bypass;detail="redis-unreachable"' in answer.headers["Cache-Status"]


@pytest.mark.parametrize("path", ["/api/products/1001", "/api/products/999999999"])
def test_a_product_that_never_was_is_missing(shop: Shop, path: str) -> None:
    """404 as a problem document; the absence is cached, by us and by shared caches."""
    first, second = shop.get(path), shop.get(path)
    assert first.status_code == second.status_code == 404
    assert first.headers["Content-Type"] == "application/problem+json"
    problem = first.get_json()
    assert (problem["title"], problem["status"]) == ("Not Found", 404)
    assert "version" not in problem
    assert "does not exist" in problem["detail"]
    assert second.headers["Cache-Status"].startswith("tocsin-l1;hit")
    assert second.headers["Cache-Control"] == "public, max-age=0, s-maxage=1, must-revalidate"


@pytest.mark.parametrize(
    "path",
    [
        "/api/products/0",
        "/api/products/007",
        "/api/products/-1",
        "/api/products/1000000000",
        "/api/products/99999999999999999999",
        "/api/products/one",
        "/api/products/１",
        "/api/products/1/",
        "/api/products/",
        "//api/products/1",
        "/api/products/1/reviews",
        "/static/shop.css",
        "/favicon.ico",
    ],
)
def test_an_address_has_one_spelling(shop: Shop, path: str) -> None:
    """What is not exactly an address of ours is 404 and never redirected or kept."""
    answer = shop.get(path)
    assert answer.status_code == 404
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.get_json()["detail"].startswith("nothing is served at")


def test_a_list_has_pages(any_shop: Shop) -> None:
    """Items in the order of their ids, with the counts of the whole selection."""
    listing = any_shop.get("/api/products?category=toys&page=2&per_page=30").get_json()
    assert [item["id"] for item in listing["items"]] == list(range(304, 604, 10))
    counts = {name: listing[name] for name in ("page", "per_page", "total", "pages")}
    assert counts == {"page": 2, "per_page": 30, "total": 100, "pages": 4}
    assert listing["items"][0] == any_shop.get("/api/products/304").get_json()


def test_a_list_without_a_query_is_the_first_page_of_everything(shop: Shop) -> None:
    """The defaults: all categories, page 1, 20 a page."""
    listing = shop.get("/api/products").get_json()
    assert [item["id"] for item in listing["items"]] == list(range(1, 21))
    assert (listing["total"], listing["pages"]) == (1000, 50)


@pytest.mark.parametrize("query", ["category=unheard-of", "page=10000"])
def test_a_selection_may_be_empty(shop: Shop, query: str) -> None:
    """A category without products, or a page behind the last, is an empty list and no error."""
    answer = shop.get(f"/api/products?{query}")
    assert (answer.status_code, answer.get_json()["items"]) == (200, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=10001", "page"),
        ("page=1.0", "page"),
        ("page=", "page"),
        ("page=1&page=2", "page"),
        ("per_page=101", "per_page"),
        ("per_page=ten", "per_page"),
        ("category=Kitchen", "category"),
        ("category=a%3Ab", "category"),
        (f"category={'a' * 41}", "category"),
    ],
)
def test_a_query_that_cannot_be_meant_names_its_parameter(shop: Shop, query: str, field: str) -> None:
    """400 with the parameter's name; no such query becomes a cache key."""
    answer = shop.get(f"/api/products?{query}")
    assert (answer.status_code, answer.get_json()["field"]) == (400, field)
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_list_is_not_the_list_before_a_write(open_here: OpenShop) -> None:
    """A write raises the namespace's version: every worker's next list shows it, whatever it had cached."""
    one, other = open_here(), open_here()
    for shop in (one, other):
        assert shop.get("/api/products").get_json()["items"][0]["price"] == 44.9
    one.send("PATCH", "/api/products/1", {"price": 45})
    for shop in (one, other):
        assert shop.get("/api/products").get_json()["items"][0]["price"] == 45.0


def test_the_front_page_is_a_shop_window(shop: Shop) -> None:
    """It shows the products of the page, all categories, and who served it from which level."""
    shop.get("/api/products?category=toys")
    page = shop.get("/?category=toys")
    text = page.get_data(as_text=True)
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Little Harbour wooden train, engine only" in text
    assert all(f"/?category={category}" in text for category in CATEGORIES)
    assert "<code>node-1/worker-1</code>" in text
    assert "this worker&#39;s own memory (L1)" in text
    assert page.headers["Cache-Status"].startswith("tocsin-l1;hit")


def test_the_front_page_escapes_what_clients_wrote(shop: Shop) -> None:
    """A product's name is text wherever it is shown, and no script may run on the page at all."""
    made = shop.send("POST", "/api/products", {"name": "<script>x</script>", "price": 1, "category": "traps"})
    assert made.status_code == 201
    page = shop.get("/?category=traps")
    assert b"<script>" not in page.data
    assert b"&lt;script&gt;" in page.data
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]


def test_a_fingerprinted_file_is_served_and_no_other(shop: Shop) -> None:
    """The stylesheet's address holds the hash of its content; with another hash it is not found."""
    text = shop.get("/").get_data(as_text=True)
    found = re.search(r'href="(/static/shop\.[0-9a-f]+\.css)"', text)
    assert found
    style = shop.get(found[1])
    assert (style.status_code, style.headers["Content-Type"]) == (200, "text/css; charset=utf-8")
    forged = re.sub(r"\.[0-9a-f]+\.css", ".000000000000.css", found[1])
    assert shop.get(forged).status_code == 404


def test_head_is_get_without_the_body(shop: Shop) -> None:
    """HEAD answers with the fields of GET, its length included."""
    whole, head = shop.get("/api/products/1"), shop.client.head("/api/products/1")
    assert head.data == b""
    for name in ("Content-Length", "ETag", "Cache-Control", "Content-Type"):
        assert head.headers[name] == whole.headers[name]
