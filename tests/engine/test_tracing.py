"""Causes: each stale read has one, from the traces of its own run; and a run keeps its own stretch of them."""

from __future__ import annotations

import json
from pathlib import Path

from cluster.contract.case import Case
from cluster.engine.tracing import causes, keep_traces
from tests.checker.notation import MS, history

W1 = "via=node-1/worker-1"
TEXT = f"""
baseline x=1
s1 write x=2 10..20
- read x=1 30..31 {W1} layer=l1 op=-
- read x=1 90..91 {W1} layer=l1 op=-
- read x=1 50..51 layer=edge op=-
"""


def trace(folder: Path, process: str, *lines: dict[str, object]) -> None:
    began = {"t": 1 * MS, "event": "began", "process": process, "wall_ns": 2 * MS}
    text = "".join(json.dumps(line) + "\n" for line in (began, *lines))
    folder.mkdir(exist_ok=True)
    (folder / f"{process.replace('/', '-')}.7.jsonl").write_text(text)


def test_stale_reads_are_counted_by_cause_and_the_stalest_told(tmp_path: Path) -> None:
    """The writer told of it, node-1 never heard: two stale reads of its worker; one more came from the edge's store."""
    trace(tmp_path, "node-2/worker-1", {"t": 15 * MS, "event": "published", "names": ["k:x"]})
    trace(tmp_path, "node-1/worker-1")
    found = causes(Case(history(TEXT)), tmp_path, 0)
    assert [(each.cause, each.count, each.worst_at_least_ns) for each in found] == [
        ("not delivered", 2, 70 * MS),
        ("kept by the edge", 1, 30 * MS),
    ]
    assert "began at 0.090 s and returned version 1" in found[0].witness
    assert "node-2/worker-1" in found[0].witness


def test_without_traces_nothing_is_said_of_causes(tmp_path: Path) -> None:
    """Rather than "unknown" for each."""
    assert causes(Case(history(TEXT)), tmp_path / "none", 0) == ()


def test_a_run_keeps_its_own_stretch_of_the_traces(tmp_path: Path) -> None:
    """And each process's beginning; what is only half written, since its process was killed, is left out."""
    trace(tmp_path / "all", "node-1/agent", {"t": 5 * MS, "event": "applied"}, {"t": 9 * MS, "event": "applied"})
    path = tmp_path / "all" / "node-1-agent.7.jsonl"
    path.write_text(path.read_text() + '{"t": 99, "ev')
    keep_traces(tmp_path / "all", tmp_path / "kept", since_ns=6 * MS)
    lines = [json.loads(line) for line in (tmp_path / "kept" / path.name).read_text().splitlines()]
    assert [(line["event"], line["t"] // MS) for line in lines] == [("began", 1), ("applied", 9)]
    keep_traces(tmp_path / "nowhere", tmp_path / "nothing", since_ns=0)
    assert not (tmp_path / "nothing").exists()
