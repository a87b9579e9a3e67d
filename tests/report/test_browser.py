"""The report as a reader sees it: in a real browser, on a wide screen and on a phone, in the light and in the dark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from cluster.report.page import write_report
from tests.chromium import chromium
from tests.report.matrices import INVALID, UNKNOWN, VALID, matrix_in, real_run

DECISIONS = {
    ("ttl", "kill", 1): INVALID,
    ("ttl", "pause", 1): UNKNOWN,
    ("sequenced/write-behind", "kill", 1): VALID,
    ("sequenced/write-behind", "pause", 1): None,
}
CELL = "cell-cells-ttl-kill-1"
PLOTS = 8


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a small matrix."""
    return write_report(matrix_in(tmp_path_factory.mktemp("matrix"), DECISIONS, real_run()).path)


@contextmanager
def opened(
    browser: Browser, address: str, *, width: int = 1280, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Page]:
    """The page in a window of its own, which must neither complain nor ask anybody for anything."""
    complaints: list[str] = []
    asked: list[str] = []
    with browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address)
        yield page
    assert complaints == []
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []


def test_a_field_of_the_map_opens_its_run_with_its_curves(browser: Browser, report: Path) -> None:
    """Map, then run, then curves with the fault shaded, then back to the map."""
    with opened(browser, report.as_uri()) as page:
        expect(page.locator(f"#{CELL}")).to_be_hidden()
        page.locator("td.tile.invalid a").click()
        expect(page.locator(f"#{CELL}")).to_be_visible()
        expect(page.locator(f"#{CELL} .js-plotly-plot")).to_have_count(PLOTS)
        expect(page.locator(f"#{CELL} .shapelayer path").first).to_be_attached()
        expect(page.locator(f"#{CELL} .witness").first).to_contain_text("stale by")
        page.get_by_role("link", name="back to the map").last.click()


def test_an_address_with_a_run_in_it_opens_that_run(browser: Browser, report: Path) -> None:
    """So that a cell can be sent to a colleague."""
    with opened(browser, f"{report.as_uri()}#{CELL}") as page:
        expect(page.locator(f"#{CELL} .js-plotly-plot")).to_have_count(PLOTS)


def test_the_fields_show_what_is_chosen(browser: Browser, report: Path) -> None:
    """Lost writes in place of staleness."""
    with opened(browser, report.as_uri()) as page:
        field = page.locator("td.tile.invalid")
        expect(field.locator("[data-measure=stale]")).to_be_visible()
        page.get_by_label("Shown in each field").select_option("lost")
        expect(field.locator("[data-measure=stale]")).to_be_hidden()
        expect(field.locator("[data-measure=lost]")).to_have_text("0")


@pytest.mark.parametrize("place", ["", f"#{CELL}"], ids=["map", "run"])
def test_a_phone_scrolls_in_one_direction_only(browser: Browser, report: Path, place: str) -> None:
    """What is wider than the screen scrolls in its own box; the page does not."""
    with opened(browser, report.as_uri() + place, width=390) as page:
        if place:
            expect(page.locator(f"#{CELL} .js-plotly-plot")).to_have_count(PLOTS)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground(browser: Browser, report: Path, scheme: Literal["light", "dark"]) -> None:
    """Contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3) for verdicts, text and hints, by day and by night."""
    with opened(browser, report.as_uri(), scheme=scheme) as page:
        for selector in ("td.tile.invalid .sign", "td.tile.valid .sign", "td.tile.unknown .sign", "h2#map", ".hint"):
            ratio = page.locator(selector).first.evaluate(CONTRAST)
            assert ratio >= 4.5, f"{selector}: {ratio:.1f}"


CONTRAST = """(element) => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
  let ground = element;
  while (ground && parse(getComputedStyle(ground).backgroundColor)[3] === 0) { ground = ground.parentElement; }
  const colours = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor];
  const [dark, bright] = colours.map(parse).map(light).sort((a, b) => a - b);
  return (bright + 0.05) / (dark + 0.05);
}"""
