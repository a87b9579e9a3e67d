"""Writing a history file: what is written is what is read, and it is there before the request leaves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.history.line import Audit, Audited, Baseline, Fail, Fault, Info, Invocation, Ok
from cluster.history.operation import Kind, Outcome, Phase
from cluster.history.reader import read_history
from cluster.history.recorder import Recorder


def test_what_is_written_is_what_is_read(tmp_path: Path) -> None:
    """Every kind of line makes the round trip."""
    with Recorder(tmp_path / "history.jsonl", strategy="ttl", write_path="cache-aside", seed=3) as recorder:
        recorder.write(Baseline(recorder.index, 1, "product:7", 2))
        for process, (kind, operation_id) in enumerate([(Kind.READ, ""), (Kind.WRITE, "a"), (Kind.WRITE, "b")]):
            line = Invocation(
                recorder.index, 10, process, kind, "product:7", "edge", Phase.FAULT, operation_id=operation_id
            )
            recorder.write(line)
        recorder.write(Fail(recorder.index, 20, 0, error="timeout"))
        recorder.write(Ok(recorder.index, 21, 1, version=3))
        recorder.write(Info(recorder.index, 22, 2, status=504))
        recorder.write(Fault(recorder.index, 23, "kill", "start", "node-2", {"pid": 81}))
        recorder.write(Audit(recorder.index, 24, "product:7", 3, "a", "node-1"))
        recorder.write(Audited(recorder.index, 25, 1))
    history = read_history(recorder.path)
    assert [(each.outcome, each.operation_id) for each in history.operations()] == [
        (Outcome.FAIL, ""),
        (Outcome.OK, "a"),
        (Outcome.INFO, "b"),
    ]
    assert (history.header.strategy, history.header.write_path, history.header.seed) == ("ttl", "cache-aside", 3)
    assert history.audited


def test_defaults_are_left_out(tmp_path: Path) -> None:
    """A line says what it has to say and no more: histories are long."""
    with Recorder(tmp_path / "history.jsonl") as recorder:
        recorder.write(Ok(recorder.index, 21, 1))
    assert recorder.path.read_text().splitlines()[1] == '{"type":"ok","index":1,"time_ns":21,"process":1}'


def test_a_history_is_never_overwritten(tmp_path: Path) -> None:
    """It is evidence."""
    Recorder(tmp_path / "history.jsonl").close()
    with pytest.raises(FileExistsError):
        Recorder(tmp_path / "history.jsonl")


def test_lines_are_numbered_without_gaps(tmp_path: Path) -> None:
    """A line that bears another number is our own mistake."""
    with (
        Recorder(tmp_path / "history.jsonl") as recorder,
        pytest.raises(AssertionError, match="line 5 written as line 1"),
    ):
        recorder.write(Ok(5, 21, 1))


DRIVER_THAT_DIES = """
import os, signal, sys
from pathlib import Path
from cluster.history.line import Invocation
from cluster.history.operation import Kind, Phase
from cluster.history.recorder import Recorder
recorder = Recorder(Path(sys.argv[1]))
recorder.write(Invocation(recorder.index, 10, 0, Kind.WRITE, "product:7", "edge", Phase.WARM, operation_id="a"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_an_invocation_survives_the_drivers_death(tmp_path: Path) -> None:
    """Killed right after it announced a write, the driver has left the announcement."""
    path = tmp_path / "history.jsonl"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    died = subprocess.run([sys.executable, "-c", DRIVER_THAT_DIES, str(path)], env=environment, timeout=60)
    assert died.returncode == -signal.SIGKILL
    assert [(each.operation_id, each.outcome) for each in read_history(path).operations()] == [("a", Outcome.INFO)]
