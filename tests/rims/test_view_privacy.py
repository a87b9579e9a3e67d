"""Cached views and persons: one's answer never reaches another, whatever the view forgot to declare."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask, g, request, session
from tocsin.flask import Tocsin

from tests.rims.conftest import logged_in


def test_a_personal_answer_without_its_user_in_the_key_is_refused(
    shop: Flask, extension: Tocsin, caplog: pytest.LogCaptureFixture
) -> None:
    """Each gets his own, nothing is kept, and the log says what to do."""

    @shop.get("/")
    @extension.cached()
    def page() -> str:
        return f"hello {session.get('user')}"

    browsers = {name: logged_in(shop, name) for name in ("ada", "bob")}
    for _ in range(2):
        for name, browser in browsers.items():
            assert browser.get("/").text == f"hello {name}"
    assert shop.test_client().get("/").text == "hello None"
    assert "the session was read" in caplog.text
    assert "user=" in caplog.text


def test_a_session_read_before_the_view_counts_too(shop: Flask, extension: Tocsin) -> None:
    """An application that loads its user for every request has personal answers unless it says otherwise."""

    @shop.before_request
    def load_user() -> None:
        g.user = session.get("user")

    @shop.get("/")
    @extension.cached()
    def page() -> str:
        return f"hello {g.user}"

    assert [logged_in(shop, name).get("/").text for name in ("ada", "bob")] == ["hello ada", "hello bob"]


def test_a_public_answer_may_be_declared(shop: Flask, extension: Tocsin, calls: Iterator[int]) -> None:
    """Where the session is read, but nothing of it is shown."""

    @shop.before_request
    def load_user() -> None:
        g.user = session.get("user")

    @shop.get("/")
    @extension.cached(public=True)
    def page() -> str:
        return str(next(calls))

    assert [logged_in(shop, name).get("/").text for name in ("ada", "bob")] == ["1", "1"]


def test_a_personal_answer_is_kept_for_its_user(shop: Flask, extension: Tocsin, calls: Iterator[int]) -> None:
    """Under a key that holds the user, nobody being one of them; marked private, for the proxies before us."""

    @shop.get("/")
    @extension.cached(user=lambda: session.get("user"))
    def page() -> str:
        return f"hello {session.get('user')} {next(calls)}"

    ada, bob, nobody = logged_in(shop, "ada"), logged_in(shop, "bob"), shop.test_client()
    for _ in range(2):
        assert [client.get("/").text for client in (ada, bob, nobody)] == ["hello ada 1", "hello bob 2", "hello None 3"]
    assert logged_in(shop, "nobody").get("/").text == "hello nobody 4"
    assert "private" in ada.get("/").headers["Cache-Control"]


def test_an_authorized_request_is_not_answered_from_what_is_kept_for_all(shop: Flask, extension: Tocsin) -> None:
    """Nor is its answer kept for them."""

    @shop.get("/")
    @extension.cached()
    def page() -> str:
        return f"hello {request.authorization.username if request.authorization else 'all'}"

    client = shop.test_client()
    for _ in range(2):
        assert client.get("/", auth=("ada", "secret")).text == "hello ada"
        assert client.get("/").text == "hello all"


@pytest.mark.parametrize(
    "field",
    [
        ("Set-Cookie", "session=1"),
        ("Cache-Control", "private"),
        ("Cache-Control", "no-store"),
        ("Cache-Control", "no-cache"),
        ("Vary", "*"),
        ("Vary", "Cookie"),
        ("Vary", "Accept-Language"),
    ],
)
def test_an_answer_that_says_it_is_not_for_all_is_not_kept(
    shop: Flask, extension: Tocsin, calls: Iterator[int], field: tuple[str, str]
) -> None:
    """Each request has an answer of its own."""

    @shop.get("/")
    @extension.cached(public=True)
    def page() -> tuple[str, dict[str, str]]:
        return str(next(calls)), dict([field])

    client = shop.test_client()
    assert [client.get("/").text for _ in range(2)] == ["1", "2"]


def test_poison_in_a_request_stays_with_its_sender(shop: Flask, extension: Tocsin) -> None:
    """Fields that are not in the key are not in the answer's link either; the host is in the key."""

    @shop.get("/")
    @extension.cached()
    def page() -> str:
        return f"{request.host_url}static"

    client = shop.test_client()
    assert client.get("/", headers={"X-Forwarded-Host": "evil"}).text == "http://localhost/static"
    assert client.get("/", headers={"Host": "evil"}).text == "http://evil/static"
    assert client.get("/").text == "http://localhost/static"
