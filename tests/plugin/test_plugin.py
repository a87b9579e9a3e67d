"""The plugin as its users use it: in a pytest of its own, from the command line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENDS_WITHIN_S = 110.0


def pytest_with_plugin(folder: Path, source: str) -> tuple[int, str]:
    """Run a test file with the plugin and nothing else; the exit code and the output."""
    (folder / "test_mine.py").write_text(source, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "cluster.plugin", "-p", "no:cacheprovider", "-q"]
    done = subprocess.run(
        [*command, "--rootdir", str(folder), "-c", "/dev/null", str(folder / "test_mine.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_mark_takes_names_only(tmp_path: Path) -> None:
    """A strategy that was given without its name would be ignored."""
    code, said = pytest_with_plugin(
        tmp_path,
        "import pytest\n@pytest.mark.tocsin('ttl')\ndef test_mine(tocsin_cluster):\n    pass\n",
    )
    assert code != 0
    assert "takes names" in said


def test_a_wish_that_no_cluster_can_be_is_said_in_a_sentence(tmp_path: Path) -> None:
    """With the names that there are."""
    code, said = pytest_with_plugin(
        tmp_path,
        "import pytest\n@pytest.mark.tocsin(strategy='tlt')\ndef test_mine(tocsin_cluster):\n    pass\n",
    )
    assert code != 0
    assert "sequenced" in said


def test_the_fixtures_are_listed_with_what_they_are(tmp_path: Path) -> None:
    """`--fixtures` shows each with its first line."""
    command = [sys.executable, "-m", "pytest", "-p", "cluster.plugin", "-p", "no:cacheprovider", "--fixtures"]
    done = subprocess.run(
        [*command, "--rootdir", str(tmp_path), "-c", "/dev/null", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=ENDS_WITHIN_S,
        check=False,
    )
    for name in ("tocsin_cluster", "chaos", "history"):
        assert f"\n{name} --" in done.stdout
