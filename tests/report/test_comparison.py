"""Two matrices side by side: who got worse, who got better, who is new."""

from __future__ import annotations

from pathlib import Path

from cluster.report.comparison import compare, write_comparison
from tests.report.matrices import INVALID, UNKNOWN, VALID, matrix_in, real_run

BEFORE = {
    ("ttl", "kill", 1): VALID,
    ("ttl", "pause", 1): INVALID,
    ("ttl", "flushall", 1): VALID,
    ("old", "kill", 1): VALID,
}
AFTER = {
    ("ttl", "kill", 1): UNKNOWN,
    ("ttl", "pause", 1): VALID,
    ("ttl", "flushall", 1): VALID,
    ("new", "kill", 1): VALID,
}


def test_verdicts_are_paired_and_what_got_worse_comes_first(tmp_path: Path) -> None:
    """From valid to unknown is worse: something that was proved is proved no more."""
    run = real_run()
    compared = compare(matrix_in(tmp_path / "a", BEFORE, run).path, matrix_in(tmp_path / "b", AFTER, run).path)
    changes = {(pair.row, pair.column): pair.change for pair in compared.pairs if pair.change != "skipped"}
    assert compared.pairs[0].column == "kill"
    assert changes[("ttl", "kill")] == "worse"
    assert changes[("ttl", "pause")] == "better"
    assert changes[("ttl", "flushall")] == "same"
    assert changes[("new", "kill")] == "new"
    assert changes[("old", "kill")] == "gone"
    assert [pair.row for pair in compared.prices] == ["ttl"]


def test_the_page_says_how_many_got_worse(tmp_path: Path) -> None:
    """One file, beside the later report."""
    run = real_run()
    page = write_comparison(matrix_in(tmp_path / "a", BEFORE, run).path, matrix_in(tmp_path / "b", AFTER, run).path)
    assert page.parent == tmp_path / "b"
    assert "1 worse, 1 better, 1 the same" in page.read_text(encoding="utf-8")


def test_a_run_is_compared_with_a_run(tmp_path: Path) -> None:
    """A run is the smallest matrix here too."""
    run = real_run()
    first = matrix_in(tmp_path / "a", BEFORE, run).run("cells/ttl/kill-1").path
    second = matrix_in(tmp_path / "b", AFTER, run).run("cells/ttl/kill-1").path
    assert [pair.change for pair in compare(first, second).pairs] == ["worse"]
