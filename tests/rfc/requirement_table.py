"""The requirements as a table: what docs/edge.md says of each test, and how it was contrasted.

    python -m tests.rfc.requirement_table        judge stock nginx, and write the table into docs/edge.md

Everything but the column about stock nginx comes from the tests themselves, and a test compares the two.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.rfc.mutants import MUTANTS, NO_MUTANT

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parents[1] / "docs" / "edge.md"
BEGIN, END = "<!-- requirements: begin -->", "<!-- requirements: end -->"


@dataclass(frozen=True, slots=True)
class Requirement:
    """One test that carries a requirement's place."""

    section: str
    level: str
    module: str
    test: Callable[..., None]

    @property
    def name(self) -> str:
        """The test function's name."""
        return self.test.__name__

    @property
    def claim(self) -> str:
        """The name read as a sentence."""
        return self.name.removeprefix("test_").replace("_s_", "'s ").replace("_t_", "'t ").replace("_", " ")

    def cases(self) -> Iterator[dict[str, Any]]:
        """The arguments of each case, as pytest would give them."""
        marks = [mark for mark in marks_of(self.test) if mark.name == "parametrize"]
        tables = []
        for mark in marks:
            names, rows = mark.args[0], list(mark.args[1])
            if isinstance(names, str):
                tables.append([{names: row} for row in rows])
            else:
                tables.append([dict(zip(names, row, strict=True)) for row in rows])
        for combination in itertools.product(*tables):
            yield {name: value for case in combination for name, value in case.items()}


def marks_of(test: Callable[..., None]) -> list[pytest.Mark]:
    """The marks that a test function carries."""
    return list(getattr(test, "pytestmark", []))


def requirements() -> list[Requirement]:
    """All of them, in the order of files and lines."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(f"tests.rfc.{path.stem}")
        for _, test in inspect.getmembers(module, inspect.isfunction):
            for mark in marks_of(test):
                if mark.name == "requirement" and test.__module__ == module.__name__:
                    found.append(Requirement(mark.args[0], mark.args[1], path.stem, test))
    return sorted(found, key=lambda one: (one.module, inspect.getsourcelines(one.test)[1]))


def row(requirement: Requirement, stock: str) -> str:
    """One line of the table. `stock` is what stock nginx made of it."""
    place = f"`{requirement.module}.py`"
    contrast = stock
    if requirement.name in NO_MUTANT:
        contrast = f"{stock}; {NO_MUTANT[requirement.name]}"
    for name, mutant in MUTANTS.items():
        if requirement.name in mutant.noticed_by:
            contrast = f"{stock}; fails when {name}"
    return f"| {requirement.section} | {requirement.level} | {requirement.claim} | {place} | {contrast} |"


def stock_of(text: str) -> dict[str, str]:
    """What an existing table says of stock nginx, by claim."""
    found = re.findall(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \| [^|]+ \| (\d+ of \d+)", text, flags=re.MULTILINE)
    return dict(found)


def table(stock: dict[str, str]) -> str:
    """The whole table."""
    head = ["| section | level | requirement | test | stock nginx passes |", "| --- | --- | --- | --- | --- |"]
    return "\n".join(head + [row(one, stock.get(one.claim, "not judged")) for one in requirements()])


def judge_stock() -> dict[str, str]:
    """Run every requirement against stock nginx: `passed of cases` by claim."""
    command = [sys.executable, "-m", "pytest", str(HERE), "--edge", "stock", "-q", "-rA", "--tb=no"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    passed: Counter[str] = Counter()
    cases: Counter[str] = Counter()
    for outcome, name in re.findall(r"^(PASSED|FAILED|ERROR) \S+?::(\w+)", said, flags=re.MULTILINE):
        cases[name] += 1
        passed[name] += outcome == "PASSED"
    return {one.claim: f"{passed[one.name]} of {cases[one.name]}" for one in requirements()}


def main() -> None:
    """Write the table anew."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    DOCUMENT.write_text(f"{before}{BEGIN}\n{table(judge_stock())}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
