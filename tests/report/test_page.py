"""The page as a file: what it says, what it must not do, and how large it may be. How it looks: test_browser."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest

from cluster.errors import WrongInputError
from cluster.record.store import RunFolder
from cluster.report.page import CELLS_MAX, write_report
from tests.record.examples import RUN
from tests.report.matrices import INVALID, UNKNOWN, VALID, matrix_in, real_run

SMALL = {
    ("ttl", "kill", 1): INVALID,
    ("ttl", "pause", 1): UNKNOWN,
    ("sequenced", "kill", 1): VALID,
    ("sequenced", "pause", 1): None,
}
BYTES_MAX = 10_000_000


class Words(HTMLParser):
    """The text of a page outside of its scripts and styles, and the addresses that it would fetch."""

    def __init__(self, page: str) -> None:
        """Read it."""
        super().__init__()
        self.text, self.fetched, self.links, self.ids = "", list[str](), list[str](), set[str]()
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note addresses and names."""
        self._silent += tag in ("script", "style")
        for name, value in attrs:
            if name == "id" and value:
                self.ids.add(value)
            if name == "href" and tag == "a" and value:
                self.links.append(value)
            elif name in ("src", "href") and value and not value.startswith("data:"):
                self.fetched.append(value)

    def handle_endtag(self, tag: str) -> None:
        """Hear again."""
        self._silent -= tag in ("script", "style")

    def handle_data(self, data: str) -> None:
        """Keep what a reader sees."""
        if not self._silent:
            self.text += " " + " ".join(data.split())


def page_of(path: Path) -> Words:
    """The page in a file."""
    return Words(path.read_text(encoding="utf-8"))


def test_a_matrix_counts_what_is_unknown_and_skipped_in_its_banner(tmp_path: Path) -> None:
    """Nothing that was not proved passes for a pass."""
    page = page_of(write_report(matrix_in(tmp_path, SMALL, real_run()).path))
    assert "1 of 4 runs broke their contract" in page.text
    for words in ("✓ 1 valid", "✗ 1 invalid", "? 1 unknown", "– 1 skipped"):
        assert words in page.text
    assert "toys have no network" in page.text


def test_nothing_is_fetched_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    """The page works without a network; a link leads to a place in the page or to a file in the folder."""
    page = page_of(write_report(matrix_in(tmp_path, SMALL, real_run()).path))
    assert page.fetched == []
    assert page.links
    for link in page.links:
        assert link.startswith("#") or (tmp_path / link).exists()
        assert not link.startswith("#") or link[1:] in page.ids


def test_a_cell_leads_to_its_witness_and_to_the_operations_around_it(tmp_path: Path) -> None:
    """The operations that the prose names stand in the excerpt, as accused."""
    page = write_report(matrix_in(tmp_path, SMALL, real_run()).path).read_text(encoding="utf-8")
    witness = real_run().promises[0].witnesses[0]
    assert witness.replace("'", "&#39;") in page
    accused = re.findall(r'<tr class="accused"><td class="n">#(\d+)', page)
    assert set(re.findall(r"#(\d+)", witness)) <= set(accused)


def test_what_came_from_outside_can_not_become_markup(tmp_path: Path) -> None:
    """An error text or a target may hold anything; in the words it is text, in the JSON it can't end the script."""
    evil = "</script><img src=x onerror=alert(1)>"
    fault = msgspec.structs.replace(RUN.faults[0], error=evil)
    run = msgspec.structs.replace(real_run(), faults=(fault,), reason=evil)
    folder = matrix_in(tmp_path, {("ttl", "kill", 1): INVALID}, run)
    page = write_report(folder.path).read_text(encoding="utf-8")
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


def test_a_run_alone_has_the_same_page(tmp_path: Path) -> None:
    """A run is the smallest matrix: its verdict is the banner, its cell is open."""
    folder = matrix_in(tmp_path, SMALL, real_run())
    alone = folder.run("cells/ttl/kill-1")
    page = page_of(write_report(alone.path))
    assert "ttl × kill: invalid" in page.text
    assert "history.jsonl" in page.links


def test_a_run_without_a_history_says_so(tmp_path: Path) -> None:
    """A lost or broken history costs the curves, not the report."""
    run = RunFolder(tmp_path)
    run.write(real_run())
    assert "its history can't be read" in page_of(write_report(tmp_path)).text


def test_a_folder_that_is_neither_run_nor_matrix_is_named(tmp_path: Path) -> None:
    """The error names the folder."""
    with pytest.raises(WrongInputError, match=re.escape(str(tmp_path))):
        write_report(tmp_path)


def test_a_matrix_of_a_dozen_strategies_and_eight_faults_stays_below_ten_megabytes(tmp_path: Path) -> None:
    """The page is bounded, whatever was run."""
    decisions = {(f"s{row}", f"f{column}", 1): INVALID for row in range(12) for column in range(8)}
    assert write_report(matrix_in(tmp_path, decisions, real_run()).path).stat().st_size < BYTES_MAX


def test_of_a_long_matrix_the_telling_cells_are_shown_whole(tmp_path: Path) -> None:
    """More runs than fit: what is invalid is among those shown, and the field of a run that is not has no link."""
    decisions = {("ttl", f"f{number}", 1): VALID for number in range(CELLS_MAX)}
    folder = matrix_in(tmp_path, {**decisions, ("ttl", "last", 1): INVALID}, real_run())
    page = page_of(write_report(folder.path))
    assert len([name for name in page.ids if name.startswith("cell-")]) == CELLS_MAX
    assert "cell-cells-ttl-last-1" in page.ids


def test_machines_read_the_same_verdicts(tmp_path: Path) -> None:
    """JUnit: invalid is a failure, unknown an error, skipped is skipped, and only valid passes."""
    write_report(matrix_in(tmp_path, SMALL, real_run()).path)
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()  # noqa: S314 - written by us a moment ago
    assert root.attrib == {
        "name": "20261125T040000Z-matrix-1a2b", "tests": "4", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    cases = {(case.get("classname"), case.get("name")): [each.tag for each in case] for case in root.iter("testcase")}
    assert cases == {
        ("ttl", "kill seed 1"): ["failure"],
        ("ttl", "pause seed 1"): ["error"],
        ("sequenced", "kill seed 1"): [],
        ("sequenced", "pause seed 1"): ["skipped"],
    }


def test_a_character_that_xml_can_not_hold_spoils_no_document(tmp_path: Path) -> None:
    """An error text from outside may hold a control character."""
    folder = matrix_in(tmp_path, SMALL, real_run())
    record = folder.read()
    cells = tuple(msgspec.structs.replace(cell, reason="it said \x00\x1b[31m\ud7ff") for cell in record.cells)
    folder.write(msgspec.structs.replace(record, cells=cells))
    write_report(tmp_path)
    ElementTree.parse(tmp_path / "junit.xml")  # noqa: S314 - written by us a moment ago
