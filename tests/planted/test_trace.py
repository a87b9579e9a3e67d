"""A process's trace: whole lines, one beginning, whatever happens at once."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path

from planted.trace import Trace
from planted.tracing import TracingShared
from tocsin.address import Address
from tocsin.entry import Entry, Miss
from tocsin.position import Position
from tocsin.shared import Glimpse, Hit


def lines(folder: Path) -> list[dict[str, object]]:
    """Every line of every file."""
    return [json.loads(line) for path in sorted(folder.glob("*.jsonl")) for line in path.read_text().splitlines()]


def test_a_line_says_when_what_and_about_what(tmp_path: Path) -> None:
    """The first line has both clocks; what has no value is left out."""
    trace = Trace(tmp_path / "trace", "node-1/worker-2", now_ns=iter(range(5, 100)).__next__)
    trace.write("published", ("k:product:7",), position=Position(1 << 32, 41))
    trace.write("kept", ("k:product:7",), version=12, layer="l1")
    began, published, kept = lines(tmp_path / "trace")
    assert (began["event"], began["process"]) == ("began", "node-1/worker-2")
    assert (published["names"], published["sequence"], published["epoch"]) == (["k:product:7"], 41, "0000000100000000")
    assert (kept["version"], kept["layer"]) == (12, "l1")
    assert "version" not in published
    assert "sequence" not in kept


def test_many_threads_write_one_file_of_whole_lines(tmp_path: Path) -> None:
    """Eight threads that all begin at once: one beginning, and every line of each."""
    trace = Trace(tmp_path, "node-1/agent")
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait(10)
        for _ in range(50):
            trace.write("applied", (f"k:product:{number}",))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    events = [line["event"] for line in lines(tmp_path)]
    assert (events.count("began"), events.count("applied")) == (1, 400)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_disk_that_takes_nothing_costs_the_trace_alone(tmp_path: Path) -> None:
    """A file where the folder should be: nothing is raised."""
    (tmp_path / "trace").write_text("in the way")
    Trace(tmp_path / "trace", "node-1/agent").write("applied", ("k:product:7",))


class TwoAnswers:
    """An L2 that holds the first of two."""

    def glimpse(self, addresses: Sequence[Address]) -> Glimpse:
        """One hit and one miss."""
        entry = Entry(b"{}", 4, (), 30.0, 1.0)
        return Glimpse(Position(1 << 32, 9), (Hit(entry, False, Position(1 << 32, 8)), Miss("uri-miss")))


def test_what_is_seen_at_a_glance_passes_unchanged_and_hits_are_written_down(tmp_path: Path) -> None:
    """A tracing level is the level: whoever asks it gets the very answer."""
    inner = TwoAnswers()
    traced = TracingShared(inner, Trace(tmp_path, "node-1/worker-1"), tells=True)  # type: ignore[arg-type]
    addresses = [Address("product:1", "product:1"), Address("product:2", "product:2")]
    assert traced.glimpse(addresses) == inner.glimpse(addresses)
    assert [(line["names"], line["version"]) for line in lines(tmp_path) if line["event"] == "hit"] == [
        (["k:product:1"], 4)
    ]


class NoGlance:
    """An L2 whose strategy has no evidence to judge a glance by, as under write-behind."""

    def glimpse(self, addresses: Sequence[Address]) -> Glimpse | None:
        """Nothing was asked."""
        return None


def test_a_level_that_is_not_judged_at_a_glance_stays_one(tmp_path: Path) -> None:
    """Every read of a traced cluster would fail otherwise, and the cluster never be ready."""
    traced = TracingShared(NoGlance(), Trace(tmp_path, "node-1/worker-1"), tells=True)  # type: ignore[arg-type]
    assert traced.glimpse([Address("product:1", "product:1")]) is None
