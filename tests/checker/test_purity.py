"""The judges are pure: a stored history is judged again anywhere, to the same verdict.

import-linter forbids some imports by name; it lets `uuid`, `secrets` or `os` through. Here everything is forbidden that
is not on a short list.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "cluster" / "checker"
ALLOWED = {"__future__", "array", "bisect", "collections", "dataclasses", "enum", "heapq", "itertools", "typing"}
OURS = ("cluster.history.", "cluster.checker.")
IMPURE_BUILTINS = {"open", "input", "print", "exec", "eval", "__import__", "globals", "id", "hash"}


def imported(tree: ast.AST) -> set[str]:
    """The full names of the modules that a module imports; a relative import as its dots."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


@pytest.mark.parametrize("path", sorted(FOLDER.glob("**/*.py")), ids=lambda path: path.stem)
def test_a_judge_imports_nothing_that_could_change_its_mind(path: Path) -> None:
    """Only the history, other judges, and parts of the standard library without clock, chance, thread or socket."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    foreign = {name for name in imported(tree) if name.split(".")[0] not in ALLOWED and not name.startswith(OURS)}
    assert not foreign
    assert "cluster.history.recorder" not in imported(tree)
    assert "cluster.history.reader" not in imported(tree)
    called = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}
    assert not called & IMPURE_BUILTINS


@pytest.mark.parametrize(
    "source", ["import uuid", "from time import monotonic", "from .. import link", "import cluster"]
)
def test_the_guard_sees_what_it_should(source: str) -> None:
    """Each of these imports would be refused."""
    (name,) = imported(ast.parse(source))
    assert name.split(".")[0] not in ALLOWED
    assert not name.startswith(OURS)
