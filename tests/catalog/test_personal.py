"""Personal: the dashboard is its user's alone, in the language that fits, and nothing public touches the session."""

from __future__ import annotations

import pytest

from tests.catalog.conftest import OpenShop
from tests.catalog.shop import Shop


def sign_in(shop: Shop, user: str) -> str:
    """Sign in, and return the cookie."""
    answer = shop.send("POST", "/api/session", {"user": user})
    assert (answer.status_code, answer.get_json()) == (200, {"user": user})
    return answer.headers["Set-Cookie"]


def test_nobody_in_particular_is_a_guest(shop: Shop) -> None:
    """Without a session the user is `guest`, and the page says in what language it is."""
    answer = shop.get("/api/dashboard")
    body = answer.get_json()
    assert (body["user"], body["locale"], body["greeting"]) == ("guest", "en", "Welcome to the shop")
    assert answer.headers["Content-Language"] == "en"
    assert len(body["picks"]) == 4


@pytest.mark.parametrize(
    ("field", "locale"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("fr;q=0.5, de;q=0.4", "fr"),
        ("de-AT, fr;q=0.9", "de"),
        ("tlh, fr;q=0.1", "fr"),
        ("de;q=0, fr", "fr"),
        ("FR-ca", "fr"),
        ("*", "en"),
        ("pt", "en"),
        ("", "en"),
        ("%%%", "en"),
    ],
)
def test_the_language_is_the_first_that_we_speak(shop: Shop, field: str, locale: str) -> None:
    """Lookup by RFC 4647: the ranges in the order of their quality, each cut down to its language."""
    assert shop.get("/api/dashboard", Accept_Language=field).get_json()["locale"] == locale


def test_the_session_cookie_is_out_of_reach_of_scripts_and_strangers(shop: Shop) -> None:
    """HttpOnly, SameSite=Lax, signed: a cookie that was changed is nobody's."""
    cookie = sign_in(shop, "ada")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    value = cookie.partition("=")[2].partition(";")[0]
    forged = value[:-2] + ("AA" if value[-2:] != "AA" else "BB")
    shop.client.set_cookie("catalog-session", forged)
    assert shop.get("/api/dashboard").get_json()["user"] == "guest"


def test_each_user_and_language_has_a_page_of_its_own(open_here: OpenShop) -> None:
    """Two workers share Redis; whoever asks, in whatever order, sees only the own page in the own language."""
    one, other = open_here(), open_here()
    for shop, user in ((one, "ada"), (other, "grace")):
        sign_in(shop, user)
    for _ in range(2):
        for shop, user in ((one, "ada"), (other, "grace")):
            for locale in ("en", "de", "fr"):
                body = shop.get("/api/dashboard", Accept_Language=locale).get_json()
                assert (body["user"], body["locale"], user in body["greeting"]) == (user, locale, True)


def test_the_page_says_what_it_varies_by(shop: Shop) -> None:
    """Vary names the session and the language, on the 304 as well, and names nothing twice."""
    answer = shop.get("/api/dashboard")
    assert answer.headers["Vary"] == "Cookie, Accept-Language"
    assert shop.get("/api/dashboard", If_None_Match=answer.headers["ETag"]).headers["Vary"] == answer.headers["Vary"]


def test_a_session_ends(shop: Shop) -> None:
    """After DELETE the cookie is gone and the user a guest; ending no session is no error."""
    sign_in(shop, "ada")
    ended = shop.send("DELETE", "/api/session")
    assert ended.get_json() == {"user": "guest"}
    assert "catalog-session=;" in ended.headers["Set-Cookie"]
    assert shop.get("/api/dashboard").get_json()["user"] == "guest"
    assert shop.send("DELETE", "/api/session").status_code == 200


@pytest.mark.parametrize("user", ["", "a b", "a:b", "-ada", "a" * 65, "ada\n", 7, None])
def test_a_user_that_could_confuse_a_key_is_refused(shop: Shop, user: object) -> None:
    """A name is part of a cache key: 422 unless it is short and plain."""
    answer = shop.send("POST", "/api/session", {"user": user})
    assert (answer.status_code, answer.get_json()["field"]) == (422, "user")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/", "/api/products", "/api/products/1", "/openapi.json", "/healthz"])
def test_a_shared_answer_neither_sets_nor_reads_a_cookie(shop: Shop, path: str) -> None:
    """With or without a session the answer is the same, varies by nothing, and carries no cookie."""
    shop.get(path)
    before = shop.get(path)
    sign_in(shop, "ada")
    after = shop.get(path)
    assert after.data == before.data
    for answer in (before, after):
        assert "Set-Cookie" not in answer.headers
        assert "Vary" not in answer.headers


def test_a_write_in_its_category_changes_the_page(open_here: OpenShop) -> None:
    """The page carries the tag of the category that it shows: a write there reaches the page of a user it never met."""
    shop = open_here(TOCSIN_STRATEGY="l2-only")
    sign_in(shop, "ada")
    pick = shop.get("/api/dashboard").get_json()["picks"][0]
    shop.send("PATCH", f"/api/products/{pick['id']}", {"price": 3})
    assert shop.get("/api/dashboard").get_json()["picks"][0]["price"] == 3.0
