"""Causes: each stale read below is the same; what the nodes wrote down differs, and so does the cause.

A write of version 2 is sent at 100 and acknowledged at 120; a read of node-2/worker-1 from 200
to 210 returns version 1.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from cluster.errors import ClusterError
from cluster.history.operation import Kind, Layer, Operation, Outcome, Phase
from cluster.trace.cause import Cause, explain
from cluster.trace.traces import Line, Traces, read_traces

NAME = "k:product:7"
WRITER, READER, AGENT = "node-1/worker-1", "node-2/worker-1", "node-2/agent"
MS = 1_000_000

READ = Operation(
    row=1, index=3, kind=Kind.READ, outcome=Outcome.OK, phase=Phase.WARM, key="product:7", via=READER, process=1,
    session="", user="", owner="", invoked_ns=200 * MS, returned_ns=210 * MS, late_ns=0, version=1, operation_id="",
    digest=0, status=200, node="node-2", worker=READER, layer=Layer.L1, error="",
)  # fmt: skip
BEGAN_MS = 100


def traces(*happened: tuple[int, str, str] | tuple[int, str, str, int]) -> Traces:
    """(ms, process, event[, version]) of the one name; `flushed`, `suspended` and `renewed` are about everything."""
    lines = []
    for at_ms, process, event, *version in happened:
        names = () if event in ("flushed", "suspended", "renewed") else (NAME,)
        lines.append((process, Line(at_ms * MS, event, names, version[0] if version else -1)))
    return Traces(lines)


def cause(found: Traces, read: Operation = READ) -> Cause:
    return explain(read, BEGAN_MS * MS, found).cause


PUBLISHED = (115, WRITER, "published")
APPLIED = (120, AGENT, "applied")


def test_nobody_told() -> None:
    """The reader's node is healthy, and the writer's trace lacks the word."""
    assert cause(traces((50, WRITER, "published"), (60, AGENT, "applied"))) is Cause.NEVER_PUBLISHED


def test_nobody_could_tell_until_it_was_too_late() -> None:
    """The relay told of it after the read: for this read, nobody had."""
    found = traces((116, WRITER, "unpublished"), (900, "node-3/agent", "published"))
    told = explain(READ, BEGAN_MS * MS, found)
    assert told.cause is Cause.NEVER_PUBLISHED
    assert "node-1/worker-1 could not tell anybody" in told.text


def test_the_node_never_heard() -> None:
    """Others did."""
    assert cause(traces(PUBLISHED, (118, "node-3/agent", "applied"), (60, AGENT, "applied"))) is Cause.NOT_DELIVERED


@pytest.mark.parametrize("applied_ms", [205, 5000])
def test_the_node_heard_late(applied_ms: int) -> None:
    """While the read was under way, or long after."""
    assert cause(traces(PUBLISHED, (applied_ms, AGENT, "applied"))) is Cause.DELIVERED_LATE


def test_an_older_value_came_back_after_the_node_had_heard() -> None:
    """A load that had begun before is kept after: the fill race."""
    found = explain(READ, BEGAN_MS * MS, traces(PUBLISHED, APPLIED, (150, READER, "kept", 1)))
    assert found.cause is Cause.REFILLED
    assert "took version 1 30 ms later" in found.text


def test_a_newer_value_that_came_back_is_not_the_cause() -> None:
    """What was kept after is version 2: then version 1 was served in spite of it."""
    assert cause(traces(PUBLISHED, APPLIED, (150, READER, "kept", 2))) is Cause.IGNORED


def test_what_l1_took_came_from_a_stale_l2() -> None:
    """It was a hit of L2, and nobody had filled that again."""
    found = traces(PUBLISHED, APPLIED, (149, READER, "hit", 1), (150, READER, "kept", 1))
    assert cause(found) is Cause.L2_STALE


def test_what_l2_gave_had_been_filled_again() -> None:
    """Another worker's late fill: the same cause, one level further away."""
    found = traces(PUBLISHED, APPLIED, (140, WRITER, "filled", 1), (149, READER, "hit", 1), (150, READER, "kept", 1))
    assert cause(found) is Cause.REFILLED
    assert cause(found, replace(READ, layer=Layer.L2)) is Cause.REFILLED


def test_l2_answered_with_what_nobody_had_cleared() -> None:
    """Told, but the entry lay there still."""
    assert cause(traces(PUBLISHED, APPLIED), replace(READ, layer=Layer.L2)) is Cause.L2_STALE


def test_the_application_of_a_later_write_is_not_that_of_this_one() -> None:
    """Numbered: 7 was told, and the node applied 9; without numbers: two were told, and one was applied."""
    told = [(WRITER, Line(115 * MS, "published", (NAME,), sequence=7)), (WRITER, Line(300 * MS, "published", (NAME,)))]
    later = (AGENT, Line(301 * MS, "applied", (NAME,), sequence=9))
    assert cause(Traces([*told, later])) is Cause.NOT_DELIVERED
    assert cause(traces(PUBLISHED, (300, WRITER, "published"), (301, AGENT, "applied"))) is Cause.NOT_DELIVERED


def test_a_number_that_was_heard_and_whose_names_were_not_applied_was_ignored() -> None:
    """The agent took note of 7, and marked nothing."""
    told = (WRITER, Line(115 * MS, "published", (NAME,), sequence=7))
    assert cause(Traces([told, (AGENT, Line(120 * MS, "applied", (), sequence=7))])) is Cause.IGNORED


def test_where_nobody_listens_clearing_l2_is_telling() -> None:
    """Cleared before the commit, and filled again with the old row: the same race, under a strategy without L1."""
    found = traces((105, WRITER, "cleared"), (110, READER, "filled", 1))
    assert cause(found, replace(READ, layer=Layer.L2)) is Cause.REFILLED
    assert cause(found) is Cause.NEVER_PUBLISHED


def test_the_node_answered_though_it_could_prove_nothing() -> None:
    """Its lease had ended, and had not begun again."""
    assert cause(traces(PUBLISHED, APPLIED, (180, AGENT, "suspended"))) is Cause.GRACE
    renewed = traces(PUBLISHED, APPLIED, (180, AGENT, "suspended"), (190, AGENT, "renewed"))
    assert cause(renewed) is Cause.IGNORED


@pytest.mark.parametrize("process", [AGENT, READER])
@pytest.mark.parametrize("event", ["applied", "flushed"])
def test_it_was_applied_and_served_all_the_same(process: str, event: str) -> None:
    """By the node's agent or the worker's own listener; a flush is an application of everything."""
    assert cause(traces(PUBLISHED, (120, process, event))) is Cause.IGNORED


def test_the_wall_clock_of_the_node_differs() -> None:
    """Nothing else explains it, and that does."""
    lines = [
        (process, Line(MS, "began", process=process, wall_ns=MS + offset_ms * MS))
        for process, offset_ms in ((WRITER, 0), ("node-3/worker-1", 3), (READER, -5000))
    ]
    lines.append((READER, Line(9000 * MS, "began", process=READER, wall_ns=9000 * MS)))  # restarted, and right again
    lines += [(WRITER, Line(115 * MS, "published", (NAME,))), (READER, Line(120 * MS, "applied", (NAME,)))]
    assert cause(Traces(lines)) is Cause.CLOCK


def test_the_edge_and_the_database_are_named_as_such() -> None:
    """An answer of the edge's own store; an answer that no cache gave."""
    found = traces(PUBLISHED, APPLIED)
    assert cause(found, replace(READ, layer=Layer.EDGE, via="edge")) is Cause.EDGE
    assert cause(found, replace(READ, layer=Layer.DATABASE)) is Cause.UNKNOWN


def test_an_answer_through_the_edge_is_that_of_the_worker_that_it_names() -> None:
    """The driver asked the edge; the answer says who gave it."""
    found = traces(PUBLISHED, APPLIED, (150, READER, "kept", 1))
    assert cause(found, replace(READ, via="edge")) is Cause.REFILLED


def test_without_a_trace_nothing_is_said() -> None:
    """Better unknown than guessed."""
    assert cause(Traces([])) is Cause.UNKNOWN


def test_a_folder_of_traces_is_read_whole(tmp_path: Path) -> None:
    """Each file has its process in its first line; half a last line, of a process that was killed, is left out."""
    began = msgspec.json.encode(Line(5, "began", process=AGENT, wall_ns=9))
    (tmp_path / "node-2-agent.12.jsonl").write_bytes(began + b'\n{"t":7,"event":"applied","names":["a"]}\n{"t":8,"ev')
    (tmp_path / "other.txt").write_text("not a trace")
    found = read_traces(tmp_path)
    event = found.of("applied", "a", AGENT).first(0)
    assert event is not None
    assert (event.t, found.lines, found.offset_ns(AGENT, 6)) == (7, 2, 4)


def test_what_is_no_trace_is_refused(tmp_path: Path) -> None:
    """With the file and the line."""
    (tmp_path / "x.jsonl").write_text("hello\n")
    with pytest.raises(ClusterError, match=r"x\.jsonl, line 1"):
        read_traces(tmp_path)
