"""`check` on a real application that has none of our code: the guestbook of the guide, in two processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import requests

from cluster.record.store import RunFolder
from tests.redis_server import free_port
from tests.until import until

ROOT = Path(__file__).resolve().parents[2]
GUESTBOOK = ROOT / "docs" / "guestbook"
UP_WITHIN_S = 20.0
CHECK_WITHIN_S = 90.0


@dataclass(frozen=True)
class Guestbook:
    """Two processes on one database, and how they are asked."""

    folder: Path
    text: str

    def check(self, **replaced: str) -> tuple[int, str]:
        """The command's exit code and output, with lines of app.toml replaced."""
        text = self.text
        for line, by in replaced.items():
            assert line in text
            text = text.replace(line, by)
        (self.folder / "app.toml").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "cluster", "--runs", str(self.folder / "runs"), "check"]
        done = subprocess.run(
            [*command, "--target", str(self.folder / "app.toml"), "--duration", "3", "--rate", "150"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=CHECK_WITHIN_S,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def guestbook(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guestbook]:
    """Two gunicorn processes, as the guide starts them, on free ports."""
    folder = tmp_path_factory.mktemp("guestbook")
    text = (GUESTBOOK / "app.toml").read_text(encoding="utf-8")
    running = []
    try:
        for written in ("9001", "9002"):
            port = free_port()
            command = [sys.executable, "-m", "gunicorn", "--workers", "1", "--threads", "4"]
            running.append(
                subprocess.Popen(
                    [*command, "--bind", f"127.0.0.1:{port}", "app:application"],
                    cwd=GUESTBOOK,
                    env={**os.environ, "GUESTBOOK": str(folder / "notes.db"), "PYTHONDONTWRITEBYTECODE": "1"},
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                )
            )
            text = text.replace(f":{written}", f":{port}")
            until(partial(answers, port), within_s=UP_WITHIN_S, waiting_for="the guestbook to answer")
        yield Guestbook(folder, text)
    finally:
        for process in running:
            process.terminate()
            process.wait(10)


def answers(port: int) -> bool:
    """Whether a page can be read."""
    try:
        return requests.get(f"http://127.0.0.1:{port}/notes/alps", timeout=1).status_code == 200
    except requests.RequestException:
        return False


def test_a_promise_that_is_not_kept_is_convicted_with_a_witness(guestbook: Guestbook) -> None:
    """The other process keeps its copy for three seconds, and half a second was promised.

    The run lies on file with its adapter, so that it can be judged again without it, and has a report.
    """
    code, said = guestbook.check()
    assert code == 1, said
    assert "guestbook: invalid: staleness" in said
    assert "through two" in said
    folder = (guestbook.folder / "runs" / "latest").resolve()
    assert RunFolder(folder).read().target.startswith("# How the examiner asks")
    assert "guestbook" in (folder / "report.html").read_text(encoding="utf-8")
    command = [sys.executable, "-m", "cluster", "--runs", str(guestbook.folder / "runs"), "recheck"]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert again.returncode == 1, said + again.stdout


def test_a_promise_that_is_kept_is_acquitted_with_versions_or_without(guestbook: Guestbook) -> None:
    """Three seconds and a little was promised: the cache's own time to live. It needs no version in the answers."""
    code, said = guestbook.check(**{"staleness_ms_max = 500": "staleness_ms_max = 4000"})
    assert code == 0, said
    lines = [line for line in guestbook.text.splitlines() if line.startswith("version")]
    code, said = guestbook.check(**{"staleness_ms_max = 500": "staleness_ms_max = 4000", lines[0]: "", lines[1]: ""})
    assert code == 0, said


def test_a_fault_of_the_users_own_needs_evidence(guestbook: Guestbook) -> None:
    """Without it the run is unknown; with it the fault is part of the record, and is healed."""
    faults = '[[faults]]\nname = "nothing at all"\nstart = ["true"]\nheal = ["true"]\n\n[traffic]'
    promise = {"staleness_ms_max = 500": "staleness_ms_max = 4000"}
    code, said = guestbook.check(**promise, **{"[traffic]": faults})
    assert code == 2, said
    proved = faults.replace("heal =", 'evidence = ["true"]\nheal =')
    code, said = guestbook.check(**promise, **{"[traffic]": proved})
    assert code == 0, said
    (fault,) = RunFolder((guestbook.folder / "runs" / "latest").resolve()).read().faults
    assert fault.evidence is not None
    assert fault.healed_s is not None


def test_an_application_that_does_not_answer_is_said_at_once(guestbook: Guestbook) -> None:
    """One sentence with its address, and no run."""
    front = next(line for line in guestbook.text.splitlines() if line.startswith("front"))
    code, said = guestbook.check(**{front: f'front = "http://127.0.0.1:{free_port()}"'})
    assert code == 1
    assert "does not answer" in said
    assert "Traceback" not in said
