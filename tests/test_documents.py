"""The documents keep up with the code: what they tell people to type exists, and what they link to is there."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from cluster.cli import VERBS
from cluster.topology import STRATEGIES

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
TARGETS = set(re.findall(r"^([a-z][a-z-]*)(?: [a-z-]+)*:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)) | {
    "chaos-kill"
}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_what_a_document_tells_to_type_exists(document: Path) -> None:
    """Each `make target` and each `python -m cluster verb` in code is one that there is."""
    text = document.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, re.S))
    assert set(re.findall(r"\bmake ([a-z][a-z-]+)", code)) <= TARGETS
    assert set(re.findall(r"python -m cluster ([a-z]+)", code)) <= set(VERBS)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_what_a_document_links_to_is_there(document: Path) -> None:
    """Relative links lead to files of the clone."""
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if "://" not in target and not target.startswith("#"):
            assert (document.parent / target.partition("#")[0]).exists(), target


def test_the_readme_explains_every_strategy() -> None:
    """A strategy that can be chosen has its row, and a row is of a strategy that can be chosen."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## The strategies")[2].partition("\n\n## ")[0]
    assert re.findall(r"^\| `([a-z0-9-]+)` \|", table, re.M) == list(STRATEGIES)


def test_help_lists_every_target_for_people() -> None:
    """`make help` shows each target that a person would type."""
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = set(re.findall(r"^  ([a-z-]+) ", shown, re.M))
    assert TARGETS - listed == {"install", "install-dev", "format", "chaos-kill"}
