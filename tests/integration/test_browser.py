"""The outermost cache: a real browser, which keeps what the route classes let it keep and asks again for the rest."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.chromium import chromium
from tests.integration.live import Cluster

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def browser() -> Iterator[BrowserContext]:
    """One Chromium with an empty cache."""
    with chromium() as started:
        yield started.new_context()


@pytest.fixture
def page(browser: BrowserContext) -> Iterator[Page]:
    """A tab of its own."""
    with browser.new_page() as tab:
        yield tab


def visit(page: Page, address: str) -> dict[str, bool]:
    """Load a page; for each path that it needed: did a request for it leave the browser?"""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    paths: dict[str, str] = {}
    kept: set[str] = set()

    def on_response(event: dict) -> None:  # type: ignore[type-arg]  # a CDP event is whatever JSON it is
        paths[event["requestId"]] = "/" + event["response"]["url"].split("/", 3)[3]
        if event["response"].get("fromDiskCache"):
            kept.add(event["requestId"])

    # The memory cache says so in an event of its own, which may come before the response or after it.
    network.on("Network.requestServedFromCache", lambda event: kept.add(event["requestId"]))
    network.on("Network.responseReceived", on_response)
    page.goto(address, wait_until="networkidle")
    network.detach()
    return {path: request not in kept for request, path in paths.items()}


def test_a_browser_asks_for_an_immutable_asset_once(cluster: Cluster, page: Page) -> None:
    """The second visit of the shop takes stylesheet and pictures from the browser's own cache: no request leaves it."""
    edge = cluster.edge
    first = visit(page, f"{edge}/")
    assets = {path for path in first if path.startswith("/static/")}
    assert assets, "the front page loads no fingerprinted asset"
    assert all(first[path] for path in assets if path.endswith(".css")), "an empty cache already held the stylesheet"
    again = visit(page, f"{edge}/?category=garden")
    assert again["/?category=garden"], "the page itself is asked for each time"
    assert not [path for path in assets if again.get(path, False)], "an immutable asset was asked for again"


def test_a_browser_shows_the_new_price_after_a_write(cluster: Cluster, page: Page) -> None:
    """The shop window is stored but revalidated each time: what a write changed is on the page at the next visit."""
    cluster.needs_writes_in_the_database()
    edge = cluster.edge
    cluster.change_price(edge, 1, 41.5)
    visit(page, f"{edge}/?category=kitchen")
    assert "41.50" in page.inner_text("main")
    cluster.change_price(edge, 1, 42.75)
    visit(page, f"{edge}/?category=kitchen")
    assert "42.75" in page.inner_text("main")
