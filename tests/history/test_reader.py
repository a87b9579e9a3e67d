"""Reading a history file: what pairs with what, and what is refused, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.history.columns import History
from cluster.history.operation import FOREVER, HistoryError, Kind, Layer, Outcome, Phase
from cluster.history.reader import read_history

HEADER = '{"type":"history","index":0,"schema":1,"strategy":"ttl","seed":7}'
INVOKE = (
    '{"type":"invoke","index":1,"time_ns":10,"process":4,"kind":"read","key":"product:7","via":"edge","phase":"warm"}'
)
WRITE = INVOKE.replace('"read"', '"write"').replace('"phase"', '"operation_id":"5f3c","phase"')
OK = '{"type":"ok","index":2,"time_ns":20,"process":4,"version":3,"status":200}'
INFO = OK.replace('"ok"', '"info"').replace('"version":3,', "")
FAIL = INFO.replace('"info"', '"fail"')


def read(folder: Path, *lines: str, end: str = "\n") -> History:
    path = folder / "history.jsonl"
    path.write_text("\n".join(lines) + end, encoding="utf-8")
    return read_history(path)


def test_an_invocation_and_its_end_are_one_operation(tmp_path: Path) -> None:
    """Every field arrives in its place."""
    invoke = INVOKE[:-1] + ',"session":"s3","user":"ada","late_ns":5}'
    end = OK[:-1] + (
        ',"operation_id":"9a","digest":77,"node":"node-2","worker":"node-2/worker-1","layer":"l1","owner":"ada"}'
    )
    history = read(tmp_path, HEADER, invoke, end)
    (operation,) = history.operations()
    assert (operation.kind, operation.outcome, operation.phase) == (Kind.READ, Outcome.OK, Phase.WARM)
    assert (operation.key, operation.via, operation.process, operation.index) == ("product:7", "edge", 4, 1)
    assert (operation.session, operation.user, operation.owner) == ("s3", "ada", "ada")
    assert (operation.invoked_ns, operation.returned_ns, operation.late_ns) == (10, 20, 5)
    assert (operation.version, operation.operation_id, operation.digest) == (3, "9a", 77)
    assert (operation.node, operation.worker, operation.layer) == ("node-2", "node-2/worker-1", Layer.L1)
    assert (operation.status, operation.error) == (200, "")
    assert (history.header.strategy, history.header.seed) == ("ttl", 7)


def test_rows_are_in_order_of_return(tmp_path: Path) -> None:
    """Two operations that overlap: the one that ends first comes first."""
    second = INVOKE.replace('"process":4', '"process":5').replace('"index":1', '"index":2')
    history = read(tmp_path, HEADER, INVOKE, second, OK.replace('"process":4', '"process":5'), OK)
    assert list(history.process) == [5, 4]


def test_an_unknown_end_never_returns(tmp_path: Path) -> None:
    """`info` stays concurrent with everything after it."""
    (operation,) = read(tmp_path, HEADER, WRITE, INFO).operations()
    assert (operation.outcome, operation.returned_ns) == (Outcome.INFO, FOREVER)


def test_what_was_open_when_the_driver_stopped(tmp_path: Path) -> None:
    """A write may have landed, so it is `info`; a read told nobody anything, so it is `fail`."""
    assert [each.outcome for each in read(tmp_path, HEADER, WRITE).operations()] == [Outcome.INFO]
    (operation,) = read(tmp_path, HEADER, INVOKE).operations()
    assert (operation.outcome, operation.error) == (Outcome.FAIL, "driver-stopped")


def test_a_last_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    """The driver died while it wrote: the rest is good evidence, and the history says so."""
    history = read(tmp_path, HEADER, INVOKE, OK, '{"type":"invo', end="")
    assert len(history) == 1
    assert history.truncated
    assert not read(tmp_path, HEADER, INVOKE, OK).truncated


def test_baseline_fault_and_audit_are_kept(tmp_path: Path) -> None:
    """The lines that are no operations."""
    history = read(
        tmp_path,
        HEADER,
        '{"type":"baseline","index":1,"time_ns":1,"key":"product:7","version":2}',
        '{"type":"fault","index":2,"time_ns":5,"fault":"kill","action":"start","target":"node-2","evidence":{"pid":81}}',
        '{"type":"audit","index":3,"time_ns":90,"key":"product:7","version":3,"operation_id":"5f3c"}',
        '{"type":"audited","index":4,"time_ns":91,"rows":1}',
    )
    key = history.keys.number("product:7")
    assert history.baselines == {key: (2, 1)}
    assert [(each.fault, each.target, each.evidence) for each in history.faults] == [("kill", "node-2", {"pid": 81})]
    assert (list(history.audit_keys), list(history.audit_versions), history.audited) == ([key], [3], True)


@pytest.mark.parametrize(
    ("lines", "number", "why"),
    [
        ((HEADER, "{"), 2, "Input data was truncated"),
        ((HEADER, '{"type":"invoke","index":1}'), 2, "Object missing required field"),
        ((HEADER, INVOKE.replace("phase", "phaze")), 2, "unknown field"),
        ((HEADER, INVOKE.replace("warm", "lukewarm")), 2, "Invalid enum value 'lukewarm'"),
        ((HEADER, INVOKE.replace(":10,", ":-10,")), 2, "Expected `int` >= 0"),
        ((HEADER, OK), 2, "process 4 ends an operation that it did not begin"),
        ((HEADER, INVOKE, INVOKE), 3, "process 4 invokes, but it has an open operation"),
        ((HEADER, WRITE, INFO, INVOKE), 4, "process 4 invokes, but it ended in info and may not speak again"),
        ((HEADER, INVOKE, OK.replace(":20,", ":9,")), 3, "the operation ends before it begins"),
        ((HEADER, INVOKE, INFO), 3, "a read ends in info"),
        ((HEADER, INVOKE.replace("read", "write")), 2, "process 4 writes without an operation_id"),
        ((HEADER, WRITE, OK[:-1] + ',"operation_id":"77"}'), 3, "the answer to 5f3c names 77"),
        ((HEADER, HEADER), 2, "a second header"),
        ((INVOKE,), 1, "the first line must be the header"),
        ((HEADER.replace('"schema":1', '"schema":2'),), 1, "schema 2; this version of Tocsin reads schema 1"),
        ((HEADER, '{"type":"audited","index":1,"time_ns":9,"rows":1}'), 2, "the audit has 1 rows, but 0 lines precede"),
    ],
)
def test_a_line_that_is_wrong_is_named(tmp_path: Path, lines: tuple[str, ...], number: int, why: str) -> None:
    """File, line, reason: a verdict on such a history would mean nothing."""
    with pytest.raises(HistoryError) as caught:
        read(tmp_path, *lines)
    assert str(caught.value).startswith(f"{tmp_path}/history.jsonl:{number}: ")
    assert why in str(caught.value)


def test_an_empty_file_is_no_history(tmp_path: Path) -> None:
    """There is not even a header."""
    path = tmp_path / "history.jsonl"
    path.touch()
    with pytest.raises(HistoryError, match="empty"):
        read_history(path)
