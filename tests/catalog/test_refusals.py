"""Refusals: what a body may not be, and how the answer names what was wrong."""

from __future__ import annotations

import pytest
from catalog.models import ProductRow
from catalog.product import cents_of, document, versioned, with_version
from catalog.seed import products

from tests.catalog.shop import BELL, Shop


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "a" * 201),
        ("name", "two\nlines"),
        ("name", "ends\n"),
        ("name", "nul\x00"),
        ("name", None),
        ("name", 7),
        ("price", -0.01),
        ("price", 1.005),
        ("price", 10_000_000),
        ("price", "12.50"),
        ("price", True),
        ("price", None),
        ("category", "Kitchen"),
        ("category", "kitchen:"),
        ("category", "kitchen\n"),
        ("category", "-kitchen"),
        ("category", "a" * 41),
        ("category", ""),
        ("description", "a" * 2001),
        ("description", "nul\x00"),
        ("colour", "red"),
        ("deleted", True),
    ],
)
def test_a_member_that_cannot_be_meant_is_named(shop: Shop, member: str, value: object) -> None:
    """422 with the member in `field`, for POST, PUT and PATCH alike; nothing is written."""
    for method, path in (("POST", "/api/products"), ("PUT", "/api/products/7"), ("PATCH", "/api/products/7")):
        answer = shop.send(method, path, BELL | {member: value})
        assert (answer.status_code, answer.get_json()["field"]) == (422, member), answer.data
    assert shop.row(7).version == 1


@pytest.mark.parametrize("member", ["name", "price", "category"])
def test_a_member_that_is_missing_is_named(shop: Shop, member: str) -> None:
    """POST and PUT need a name, a price and a category."""
    body = {name: value for name, value in BELL.items() if name != member}
    for method, path in (("POST", "/api/products"), ("PUT", "/api/products/7")):
        answer = shop.send(method, path, body)
        assert (answer.status_code, answer.get_json()["field"]) == (422, member)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", "a" * 200),
        ("name", "Glühwürmchen-Lampe „klein“ 🔔"),
        ("price", 0),
        ("price", 9_999_999.99),
        ("price", 0.57),  # 0.57 * 100 is 56.99999999999999
        ("price", 1e2),
        ("category", "a-new-one2"),
        ("description", "two\nlines\tand a tab"),
        ("description", "a" * 2000),
    ],
)
def test_a_member_at_its_limit_is_taken_and_comes_back(any_shop: Shop, member: str, value: object) -> None:
    """What is allowed survives the database and the cache unchanged."""
    assert any_shop.send("PATCH", "/api/products/7", {member: value}).status_code == 200
    assert any_shop.get("/api/products/7").get_json()[member] == value


@pytest.mark.parametrize(
    "content", [b"", b"{", b"name=x", b'{"name": "\xff"}', b'{"name": "\\ud800"}', b'{"price": NaN}']
)
def test_what_is_not_json_is_400(shop: Shop, content: bytes) -> None:
    """A body that can't be read is the request's fault, not a member's."""
    answer = shop.client.post("/api/products", data=content, content_type="application/json")
    assert answer.status_code == 400
    assert answer.get_json()["detail"].startswith("the body is not JSON")


@pytest.mark.parametrize("content", [b"[]", b"null", b"7", b'"name"', b"[" * 20_000])
def test_what_is_no_object_is_refused(shop: Shop, content: bytes) -> None:
    """JSON of another shape is 422, or 400 if it does not even end."""
    answer = shop.client.post("/api/products", data=content, content_type="application/json")
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize("content_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/xml"])
def test_another_content_type_is_415(shop: Shop, content_type: str | None) -> None:
    """Only JSON is taken; so a form on another site can't write (it can't send this type)."""
    answer = shop.client.patch("/api/products/7", data=b'{"price": 1}', content_type=content_type)
    assert (answer.status_code, answer.headers["Accept"]) == (415, "application/json")
    assert shop.row(7).version == 1


def test_a_parameter_of_the_content_type_does_not_matter(shop: Shop) -> None:
    """`application/json; charset=utf-8` is JSON."""
    answer = shop.client.patch("/api/products/7", data=b'{"price": 1}', content_type="application/json; charset=utf-8")
    assert answer.status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_body_has_a_limit(shop: Shop, method: str) -> None:
    """413 beyond 64 KiB, before anything is parsed."""
    path = "/api/products" if method == "POST" else "/api/products/7"
    answer = shop.send(method, path, BELL | {"description": "a" * 70_000})
    assert answer.status_code == 413
    assert "65536 bytes" in answer.get_json()["detail"]


def test_an_unexpected_error_shows_nothing_of_itself(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect is 500 with a sentence; a write that met one says that its outcome is unknown. The log has the rest."""

    def fail(_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(type(shop.worker.writes), "perform", lambda *_: fail(None))
    answer = shop.put(7)
    assert (answer.status_code, answer.get_json()["outcome"]) == (500, "unknown")
    assert b"secret detail" not in answer.data
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("price", "cents"), [(0.57, 57), (19.99, 1999), (1e2, 10000), (9_999_999.99, 999_999_999)])
def test_a_price_is_whole_cents(price: float, cents: int) -> None:
    """A number that is whole cents but for binary rounding counts as such."""
    assert cents_of(price) == cents


def test_a_version_is_put_where_the_contract_has_it() -> None:
    """The bytes that caches hold have no version; what is served is the same JSON with it, at the end."""
    for product in list(products())[:50]:
        assert with_version(document(product), 41) == document(product)[:-1] + b',"version":41}'
        assert versioned(product).price == product.price_cents / 100


def test_a_stranger_to_the_table_is_not_shown(shop: Shop) -> None:
    """An id that was reserved and never used is no product to anybody."""
    with shop.worker.database.writing() as session:
        session.add(ProductRow(id=1001, name="", price_cents=0, category="", description="", version=0, deleted=True))
    assert shop.get("/api/products/1001").status_code == 404
    assert shop.put(1001).status_code == 404
    assert shop.get("/api/products").get_json()["total"] == 1000
