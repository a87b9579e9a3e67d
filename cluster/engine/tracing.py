"""The servers' traces of one run: taken from its cluster, and asked why its stale reads were stale.

A matrix runs many cells on one cluster, whose traces grow from cell to cell; each run keeps its own stretch of them.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from cluster.contract.case import Case
from cluster.contract.promise import Scope
from cluster.record.run import CauseRecord
from cluster.trace.cause import explain
from cluster.trace.traces import Traces, read_traces

EXPLAINED_MAX = 20_000
"""Of more stale reads the first so many are explained: causes are counted to be compared, not to be billed."""


class _Stamp(msgspec.Struct, frozen=True):
    """What of a trace's line says whether it belongs to a run."""

    t: int = 0
    event: str = ""


def keep_traces(traces: Path, kept: Path, *, since_ns: int) -> None:
    """Copy what was written since `since_ns`, and each process's beginning, into the folder `kept`."""
    decode = msgspec.json.Decoder(_Stamp).decode
    for path in sorted(traces.glob("*.jsonl")):
        lines = []
        for line in path.read_bytes().split(b"\n")[:-1]:  # what is not ended yet is not there yet
            stamp = decode(line)
            if stamp.event == "began" or stamp.t >= since_ns:
                lines.append(line + b"\n")
        kept.mkdir(mode=0o700, exist_ok=True)
        (kept / path.name).write_bytes(b"".join(lines))


def causes(case: Case, folder: Path, origin_ns: int) -> tuple[CauseRecord, ...]:
    """Why reads were stale, the most frequent cause first; of each the stalest read in prose. None without traces."""
    if not folder.is_dir():
        return ()
    traces = read_traces(folder)
    stale = case.stale(Scope.ALL)
    found: dict[str, tuple[int, int, int, str]] = {}
    for number in range(min(len(stale), EXPLAINED_MAX)):
        cause, text = _explained(case, traces, number)
        count, worst_ns, worst, told = found.get(cause, (0, -1, 0, ""))
        if stale.at_least_ns[number] > worst_ns:
            worst_ns, worst, told = stale.at_least_ns[number], number, text
        found[cause] = (count + 1, worst_ns, worst, told)
    records = []
    for cause, (count, worst_ns, number, text) in found.items():
        (read,) = stale.evidence([number])
        witness = f"{read.witness(origin_ns)}; {text}"
        records.append(CauseRecord(cause=cause, count=count, worst_at_least_ns=worst_ns, witness=witness))
    return tuple(sorted(records, key=lambda record: -record.count))


def _explained(case: Case, traces: Traces, number: int) -> tuple[str, str]:
    """The cause of one stale read: of the write of the very next version, else of the one that condemned it."""
    stale, history = case.stale(Scope.ALL), case.history
    register = stale.laid_out.all[stale.registers[number]]
    row = stale.rows[number]
    since_ns = register.successor_invoked_ns(register.read_ranks[stale.places[number]])
    if since_ns is None:
        since_ns = history.invoked_ns[row] - stale.at_least_ns[number]
    found = explain(history.operation(row), since_ns, traces)
    return found.cause.value, found.text
