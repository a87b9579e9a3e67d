"""The house rules that a linter does not know, kept as tests so that nothing is grandfathered in.

Sizes, names and docstrings are judged on the syntax tree of every committed module.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULE_LINES_MAX = 300
FUNCTION_LINES_MAX = 50
KITCHEN_SINKS = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "tools"}


def modules(*folders: str) -> list[Path]:
    """Python files that git knows, or would, below the folders: what a clone holds."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [ROOT / name for name in listed if name.endswith(".py") and (ROOT / name).exists()]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


PRODUCT = modules("services", "cluster")
EVERY = modules("services", "cluster", "tests", "bench")


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_a_module_has_one_subject(path: Path) -> None:
    """No module is longer than 300 lines, no function longer than 50, and none is a kitchen sink by name."""
    source = path.read_text(encoding="utf-8")
    assert len(source.splitlines()) <= MODULE_LINES_MAX
    assert not KITCHEN_SINKS & set(path.relative_to(ROOT).with_suffix("").parts)
    long = [
        f"{function.name} ({function.end_lineno - function.lineno + 1} lines)"
        for function in functions(ast.parse(source))
        if function.end_lineno is not None and function.end_lineno - function.lineno + 1 > FUNCTION_LINES_MAX
    ]
    assert not long


@pytest.mark.parametrize("path", EVERY, ids=name_of)
def test_a_module_opens_with_its_story(path: Path) -> None:
    """The docstring at the top says what the module is and why it is there."""
    story = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert story
    assert len(story) > 40


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_everything_public_is_documented(path: Path) -> None:
    """Each public class and function of the product has a docstring; so has each test, which states its promise."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    public: list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            public.append(node)
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            public += [each for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]
    silent = [node.name for node in public if not node.name.startswith("_") and not ast.get_docstring(node)]
    assert not silent


@pytest.mark.parametrize("path", [path for path in EVERY if path.name.startswith("test_")], ids=name_of)
def test_every_test_states_its_promise(path: Path) -> None:
    """A test's docstring is the promise that it keeps."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent = [each.name for each in functions(tree) if each.name.startswith("test_") and not ast.get_docstring(each)]
    assert not silent


def test_only_a_clock_sleeps() -> None:
    """`time.sleep` is called where waiting is somebody's job (a clock, a bounded wait), never sprinkled elsewhere."""
    allowed = {"services/tocsin/clock.py", "cluster/until.py"}
    sleepers = set()
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and node.attr == "sleep"
                and isinstance(node.value, ast.Name)
                and node.value.id == "time"
            ):
                sleepers.add(name_of(path))
    assert sleepers <= allowed


def test_the_locks_name_no_place() -> None:
    """A lock carries versions and hashes only: no index, no link, nothing of the machine that made it."""
    for lock in sorted((ROOT / "requirements").glob("*.lock")):
        for line in lock.read_text(encoding="utf-8").splitlines():
            assert not line.startswith(("--index", "--extra-index", "--find-links", "-i ", "-f "))
            assert "://" not in line
