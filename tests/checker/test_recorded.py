"""Every recorded history in tests/histories, judged again: the verdicts are known."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from cluster.checker.judgement import Judgement, judge
from cluster.history.reader import read_history

FOLDER = Path(__file__).resolve().parents[1] / "histories"
RECORDED = sorted(FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_history_gets_its_known_verdicts(path: Path) -> None:
    """Each property's verdict, by name, and a witness for each that is broken."""
    known = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))
    judgement = judge(read_history(path))
    found = {field.name: getattr(judgement, field.name).decision.value for field in fields(Judgement)}
    assert found == known["verdicts"], known["story"]
    for verdict in judgement.verdicts:
        assert verdict.witness()


def test_every_property_is_broken_somewhere() -> None:
    """A property that no recorded history breaks would be judged by nobody; bounds are tested with their judges."""
    broken = set()
    for path in RECORDED:
        verdicts = tomllib.loads(path.with_suffix(".toml").read_text(encoding="utf-8"))["verdicts"]
        broken |= {name for name, verdict in verdicts.items() if verdict == "invalid"}
    assert broken == {field.name for field in fields(Judgement)} - {"staleness", "stampede", "availability"}


def test_every_history_has_its_verdicts_and_its_line_in_the_table() -> None:
    """No file of the folder is without its companion."""
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert {path.stem for path in RECORDED} == {path.stem for path in FOLDER.glob("*.toml")}
    assert all(f"`{path.stem}`" in table for path in RECORDED)
