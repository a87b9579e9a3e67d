"""Writes: one transaction each, however they race, fail or are repeated; on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from catalog.models import IdempotencyRow, OutboxRow, ProductRow
from werkzeug.test import TestResponse

from tests.catalog.conftest import OpenShop
from tests.catalog.shop import BELL, Shop

GOODS = ("name", "price", "category", "description")


def test_put_replaces_every_member(any_shop: Shop) -> None:
    """The product is what the body says, one version later, and says the same when it is read."""
    written = any_shop.put(7)
    assert written.status_code == 200
    assert written.get_json() == {"id": 7, **BELL, "version": 2}
    assert any_shop.get("/api/products/7").get_json() == written.get_json()
    assert written.headers["Content-Location"] == "/api/products/7"
    assert written.headers["ETag"] == any_shop.get("/api/products/7").headers["ETag"]


def test_put_without_a_description_empties_it(any_shop: Shop) -> None:
    """PUT replaces: what is not said is not kept."""
    body = {name: BELL[name] for name in GOODS[:3]}
    assert any_shop.send("PUT", "/api/products/7", body).get_json()["description"] == ""


def test_what_get_answered_may_be_put_back(any_shop: Shop) -> None:
    """Read, change, send back: `id` has to fit the address, `version` is ignored."""
    product = any_shop.get("/api/products/7").get_json() | {"price": 3}
    assert any_shop.send("PUT", "/api/products/7", product).get_json()["version"] == 2
    other = any_shop.send("PUT", "/api/products/8", product)
    assert (other.status_code, other.get_json()["field"]) == (422, "id")


def test_patch_changes_the_members_given(any_shop: Shop) -> None:
    """What is not said is kept; saying nothing is a write all the same."""
    before = any_shop.get("/api/products/7").get_json()
    assert any_shop.send("PATCH", "/api/products/7", {"price": 0.1}).get_json() == before | {"price": 0.1, "version": 2}
    assert any_shop.send("PATCH", "/api/products/7", {}).get_json()["version"] == 3


def test_post_makes_a_product(any_shop: Shop) -> None:
    """201 with its address; its version is 1, and its id was nobody's before, though a read had asked for it."""
    assert any_shop.get("/api/products/1001").status_code == 404
    made = any_shop.send("POST", "/api/products", BELL)
    assert (made.status_code, made.headers["Location"]) == (201, "/api/products/1001")
    assert made.get_json() == {"id": 1001, **BELL, "version": 1}
    assert any_shop.get("/api/products/1001").get_json() == made.get_json()


def test_delete_leaves_a_tombstone(any_shop: Shop) -> None:
    """The answer is the product at its last version; from then on it is 404 with that version, to reads and writes."""
    before = any_shop.get("/api/products/7").get_json()
    deleted = any_shop.send("DELETE", "/api/products/7")
    assert (deleted.status_code, deleted.get_json()) == (200, before | {"version": 2})
    for answer in (
        any_shop.get("/api/products/7"),
        any_shop.put(7),
        any_shop.send("PATCH", "/api/products/7", {}),
        any_shop.send("DELETE", "/api/products/7"),
    ):
        assert (answer.status_code, answer.get_json()["version"]) == (404, 2)
        assert "was deleted" in answer.get_json()["detail"]
    assert any_shop.get("/api/products?category=outdoor").get_json()["total"] == 99


def test_an_id_is_never_used_twice(any_shop: Shop) -> None:
    """After the last product is deleted, the next gets a new id."""
    any_shop.send("POST", "/api/products", BELL)
    any_shop.send("DELETE", "/api/products/1001")
    assert any_shop.send("POST", "/api/products", BELL).get_json()["id"] == 1002


def test_every_write_is_audited_and_announced_with_its_names(any_shop: Shop) -> None:
    """One audit row and one outbox row for each version; the names are the key, both categories and the lists."""
    any_shop.send("PATCH", "/api/products/7", {"price": 1}, Idempotency_Key="mine")
    any_shop.put(7)
    any_shop.send("DELETE", "/api/products/7")
    audit = any_shop.audit(7)
    assert [(row.version, row.kind, row.node) for row in audit] == [
        (1, "create", "init-db"),
        (2, "update", "node-1"),
        (3, "update", "node-1"),
        (4, "delete", "node-1"),
    ]
    assert audit[1].operation_id == "mine"
    assert len({row.operation_id for row in audit}) == 4
    outbox = any_shop.rows(OutboxRow)
    assert [row.tags for row in outbox] == [
        ["category:outdoor"],
        ["category:kitchen", "category:outdoor"],
        ["category:kitchen"],
    ]
    assert {(*row.keys, *row.namespaces, row.acknowledged) for row in outbox} == {("product:7", "products", True)}


def test_a_refused_write_leaves_no_trace(any_shop: Shop) -> None:
    """404, 412 and 422 write no row of any kind."""
    refused = [
        any_shop.put(4040),
        any_shop.put(7, If_Match='"other"'),
        any_shop.send("PUT", "/api/products/7", BELL | {"price": -1}),
    ]
    assert [answer.status_code for answer in refused] == [404, 412, 422]
    assert any_shop.rows(OutboxRow) == []
    assert len(any_shop.audit(7)) == 1
    assert len(any_shop.rows(ProductRow)) == 1000


def test_if_match_lets_one_of_two_through(any_shop: Shop) -> None:
    """Two clients read the same version and write under If-Match: the second is told the version that beat it."""
    etag = any_shop.get("/api/products/7").headers["ETag"]
    first, second = (any_shop.send("PATCH", "/api/products/7", {"price": 1}, If_Match=etag) for _ in range(2))
    assert (first.status_code, second.status_code) == (200, 412)
    assert second.get_json()["version"] == 2
    chained = any_shop.send("PATCH", "/api/products/7", {"price": 2}, If_Match=first.headers["ETag"])
    assert chained.status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_Match": "*"}, 200),
        ({"If_Match": 'W/"weak"'}, 412),
        ({"If_None_Match": "*"}, 412),
        ({"If_None_Match": '"other"'}, 200),
    ],
)
def test_conditions_of_a_write(shop: Shop, headers: dict[str, str], status: int) -> None:
    """`*` matches what exists; a weak ETag never matches a write."""
    assert shop.put(7, **headers).status_code == status


def test_a_condition_on_nothing_is_404(shop: Shop) -> None:
    """If-Match on a product that does not exist fails for the plainer reason."""
    assert shop.put(4040, If_Match="*").status_code == 404


def test_a_weak_etag_of_the_present_version_is_not_enough(shop: Shop) -> None:
    """If-Match compares strongly (RFC 9110, section 13.1.1)."""
    etag = shop.get("/api/products/7").headers["ETag"]
    assert shop.put(7, If_Match=f"W/{etag}").status_code == 412


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/products", BELL),
        ("PUT", "/api/products/7", BELL),
        ("PATCH", "/api/products/7", {"price": 5}),
        ("DELETE", "/api/products/7", None),
    ],
)
def test_a_repeated_request_is_applied_once(any_shop: Shop, method: str, path: str, body: object) -> None:
    """The same request with the same key is answered alike, also later, says so, and changes nothing."""
    first = any_shop.send(method, path, body, Idempotency_Key="k")
    product_id = first.get_json()["id"]
    if method != "DELETE":
        any_shop.send("PATCH", f"/api/products/{product_id}", {"price": 99})
    versions = len(any_shop.audit(product_id))
    again = any_shop.send(method, path, body, Idempotency_Key="k")
    assert (again.status_code, again.data) == (first.status_code, first.data)
    for name in ("ETag", "Location", "Content-Location"):
        assert again.headers.get(name) == first.headers.get(name)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(any_shop.audit(product_id)) == versions
    assert len(any_shop.rows(IdempotencyRow)) == 1


def test_a_repeat_under_if_match_is_not_a_lost_update(any_shop: Shop) -> None:
    """The first request changed the version; its repeat is answered as the first was, and not 412."""
    etag = any_shop.get("/api/products/7").headers["ETag"]
    answers = [any_shop.put(7, If_Match=etag, Idempotency_Key="k") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]


@pytest.mark.parametrize(
    ("method", "path", "body", "headers"),
    [
        ("PUT", "/api/products/7", BELL | {"price": 1}, {}),
        ("PUT", "/api/products/8", BELL, {}),
        ("PATCH", "/api/products/7", BELL, {}),
        ("PUT", "/api/products/7", BELL, {"If_Match": "*"}),
    ],
)
def test_a_key_belongs_to_one_request(
    any_shop: Shop, method: str, path: str, body: object, headers: dict[str, str]
) -> None:
    """With another method, address, body or condition the key is refused, and nothing is written."""
    any_shop.put(7, Idempotency_Key="k")
    other = any_shop.send(method, path, body, Idempotency_Key="k", **headers)
    assert (other.status_code, any_shop.row(7).version, any_shop.row(8).version) == (422, 2, 1)


def test_keys_that_differ_in_case_are_two(any_shop: Shop) -> None:
    """Keys are compared byte by byte on every database."""
    for key in ("key", "KEY"):
        assert "Idempotency-Replayed" not in any_shop.put(7, Idempotency_Key=key).headers
    assert any_shop.row(7).version == 3


def test_a_refusal_is_not_remembered(any_shop: Shop) -> None:
    """A request that was refused may succeed with the same key later."""
    any_shop.send("DELETE", "/api/products/7", If_Match='"other"', Idempotency_Key="k")
    assert any_shop.send("DELETE", "/api/products/7", If_Match='"other"', Idempotency_Key="k").status_code == 412
    assert any_shop.rows(IdempotencyRow) == []


@pytest.mark.parametrize("key", ["", "a b", "é", "a" * 256])
def test_a_key_is_short_and_visible(shop: Shop, key: str) -> None:
    """1 to 255 visible ASCII characters, else 400."""
    answer = shop.put(7, Idempotency_Key=key)
    assert (answer.status_code, answer.get_json()["field"]) == (400, "Idempotency-Key")


def at_once(shop: Shop, requests: int, method: str, path: str, body: object, **headers: str) -> list[TestResponse]:
    """Send the same request from several threads at once, each with a client of its own."""

    def send(_: int) -> TestResponse:
        return Shop(shop.application, shop.worker, shop.application.test_client()).send(method, path, body, **headers)

    with ThreadPoolExecutor(requests) as pool:
        return list(pool.map(send, range(requests)))


def test_racing_writes_lose_no_version(any_shop: Shop) -> None:
    """Eight writers at once get eight consecutive versions, each with its audit row; one product changes category."""
    answers = at_once(any_shop, 8, "PUT", "/api/products/7", BELL)
    assert sorted(answer.get_json()["version"] for answer in answers) == list(range(2, 10))
    assert [row.version for row in any_shop.audit(7)] == list(range(1, 10))
    assert any_shop.get("/api/products/7").get_json()["version"] == 9


def test_of_racing_writes_under_one_etag_one_wins(any_shop: Shop) -> None:
    """If-Match is checked under the row's lock: of six, one is 200 and five are 412."""
    etag = any_shop.get("/api/products/7").headers["ETag"]
    answers = at_once(any_shop, 6, "PATCH", "/api/products/7", {"price": 1}, If_Match=etag)
    assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412, 412, 412]


@pytest.mark.parametrize(("method", "path"), [("POST", "/api/products"), ("PUT", "/api/products/7")])
def test_of_racing_repeats_one_is_applied(any_shop: Shop, method: str, path: str) -> None:
    """A retry that overtakes its first request: all answer alike, one was applied, the others say so."""
    answers = at_once(any_shop, 5, method, path, BELL, Idempotency_Key="k")
    assert len({(answer.status_code, answer.data) for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers) == ["", *["true"] * 4]
    assert len(any_shop.audit(answers[0].get_json()["id"])) == (1 if method == "POST" else 2)


def test_a_write_reaches_the_other_workers_cache(open_here: OpenShop) -> None:
    """Under l2-only a write is seen by every worker at its next read."""
    one, other = open_here(TOCSIN_STRATEGY="l2-only"), open_here(TOCSIN_STRATEGY="l2-only")
    assert other.get("/api/products/7").get_json()["version"] == 1
    one.put(7)
    assert other.get("/api/products/7").get_json()["version"] == 2


def test_write_through_leaves_the_value_in_redis(open_here: OpenShop) -> None:
    """The next read of any worker is a hit in L2, with the new version; a deleted product is a negative hit."""
    one, other = (open_here(TOCSIN_WRITE_PATH="write-through", TOCSIN_STRATEGY="l2-only") for _ in range(2))
    written = one.put(7)
    read = other.get("/api/products/7")
    assert read.headers["Cache-Status"].startswith("tocsin-l2;hit")
    assert (read.data, read.headers["ETag"]) == (written.data, written.headers["ETag"])
    one.send("DELETE", "/api/products/7")
    gone = other.get("/api/products/7")
    assert gone.headers["Cache-Status"].startswith("tocsin-l2;hit")
    assert (gone.status_code, gone.get_json()["version"]) == (404, 3)


def test_a_write_without_redis_is_committed_and_pending(open_here: OpenShop) -> None:
    """The answer says `Tocsin-Pending`; the outbox row waits for the relay."""
    shop = open_here(REDIS_URL="redis://127.0.0.1:1/0")
    written = shop.put(7)
    assert (written.status_code, written.headers["Tocsin-Pending"]) == (200, "true")
    assert shop.row(7).version == 2
    assert [row.acknowledged for row in shop.rows(OutboxRow)] == [False]
