"""Refreshes on the library's threads, in an application: nothing of a context is shared, and views stay home."""

from __future__ import annotations

import threading
from uuid import uuid4

from flask import Flask, current_app, g
from tocsin import Policy
from tocsin.flask import Tocsin, carried

from tests.redis_server import RedisServer
from tests.until import until

HALF = Policy(ttl_s=2.0, l1_ttl_s=0.05, early_share=0.5)


def test_a_carried_work_has_an_application_context_of_its_own() -> None:
    """It finds its application, and nothing of what the caller keeps in `g`; outside of a context it is as it was."""
    app = Flask("shop")
    found: list[tuple[str, bool]] = []

    def work() -> None:
        found.append((current_app.name, "session" in g))

    with app.app_context():
        g.session = "the caller's"
        bound = carried(work)
    thread = threading.Thread(target=bound)
    thread.start()
    thread.join(10.0)
    assert found == [("shop", False)]
    assert carried(work) is work


def test_a_view_is_refreshed_by_its_own_request_and_a_function_elsewhere(redis: RedisServer, extension: Tocsin) -> None:
    """With `refresh_threads`: a memoized function runs on one of them in time, a view never."""
    app = Flask("shop")
    app.config.update(
        TOCSIN_REDIS_URL=redis.url, TOCSIN_NAMESPACE=uuid4().hex, TOCSIN_REFRESH_THREADS=2, TOCSIN_AGENT="thread"
    )
    extension.init_app(app)
    ran: dict[str, set[str]] = {"view": set(), "function": set()}

    @app.get("/page")
    @extension.cached(policy=HALF)
    def page() -> str:
        ran["view"].add(threading.current_thread().name)
        return "page"

    @extension.memoize(policy=HALF)
    def rate() -> int:
        assert current_app.name == app.name
        ran["function"].add(threading.current_thread().name)
        return 1

    browser = app.test_client()

    def refreshed_elsewhere() -> bool:
        assert browser.get("/page").text == "page"
        with app.app_context():
            assert rate() == 1
        return any(name.startswith("tocsin-refresh") for name in ran["function"])

    until(refreshed_elsewhere, within_s=20.0, waiting_for="a refresh on the library's thread")
    extension.stop(app)
    assert ran["view"] == {threading.current_thread().name}
