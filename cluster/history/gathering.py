"""Pairs the call and the return of each operation, line by line, and gathers them in a History.

It refuses a history that breaks its own rules, because a verdict on it would mean nothing: an answer nobody asked for,
a process that does two things at once, one that speaks after `info`, an answer before its question.
"""

from __future__ import annotations

from cluster.history.columns import FAIL, INFO, OK, History
from cluster.history.line import (
    SCHEMA,
    AnyLine,
    Audit,
    Audited,
    Baseline,
    Completion,
    Fail,
    Fault,
    Header,
    Info,
    Invocation,
    Ok,
)
from cluster.history.operation import HistoryError, Kind

_OUTCOMES: dict[type, int] = {Ok: OK, Fail: FAIL, Info: INFO}
_RETIRED = "retired"


class Gathering:
    """Feed it the lines in order, the header first; then `finish` gives the History."""

    def __init__(self, header: AnyLine) -> None:
        """Begin with the first line of a file. Raises HistoryError where that is no header, or of another schema."""
        if not isinstance(header, Header):
            raise HistoryError(f'the first line must be the header, {{"type":"history","schema":{SCHEMA},…}}')
        if header.schema != SCHEMA:
            raise HistoryError(f"schema {header.schema}; this version of Tocsin reads schema {SCHEMA}")
        self._history = History(header)
        self._open: dict[int, Invocation | str] = {}

    def feed(self, line: AnyLine) -> None:
        """Take the next line. Raises HistoryError where it contradicts those before it."""
        if type(line) is Invocation:
            self._invoke(line)
        elif isinstance(line, Completion):
            self._complete(line)
        elif isinstance(line, Audit):
            self._history.add_audit(line)
        elif isinstance(line, Baseline):
            self._history.add_baseline(line)
        elif isinstance(line, Fault):
            self._history.faults.append(line)
        elif isinstance(line, Audited):
            self._fence(line)
        else:
            raise HistoryError("a second header")

    def finish(self) -> History:
        """The history. What was still open when the driver stopped: a write may have landed, a read told nobody."""
        for call in self._open.values():
            if isinstance(call, Invocation):
                end = Info(index=call.index, time_ns=call.time_ns, process=call.process, error="driver-stopped")
                self._history.append(call, INFO if call.kind is Kind.WRITE else FAIL, end)
        self._open.clear()
        return self._history

    def _invoke(self, call: Invocation) -> None:
        before = self._open.get(call.process)
        if before is not None:
            why = "ended in info and may not speak again" if before is _RETIRED else "has an open operation"
            raise HistoryError(f"process {call.process} invokes, but it {why}")
        if call.kind is Kind.WRITE and not call.operation_id:
            raise HistoryError(f"process {call.process} writes without an operation_id")
        self._open[call.process] = call

    def _complete(self, end: Completion) -> None:
        call = self._open.pop(end.process, None)
        if not isinstance(call, Invocation):
            raise HistoryError(f"process {end.process} ends an operation that it did not begin")
        if end.time_ns < call.time_ns:
            raise HistoryError(f"process {end.process}: the operation ends before it begins")
        if end.operation_id and call.operation_id and end.operation_id != call.operation_id:
            raise HistoryError(f"process {end.process}: the answer to {call.operation_id} names {end.operation_id}")
        outcome = _OUTCOMES[type(end)]
        if outcome == INFO:
            if call.kind is Kind.READ:
                raise HistoryError(f"process {end.process}: a read ends in info; one without an answer is `fail`")
            self._open[end.process] = _RETIRED
        self._history.append(call, outcome, end)

    def _fence(self, line: Audited) -> None:
        if line.rows != len(self._history.audit_keys):
            raise HistoryError(f"the audit has {line.rows} rows, but {len(self._history.audit_keys)} lines precede")
        self._history.audited = True
