"""A history as a reader would write it on paper, one operation a line, times in milliseconds.

    baseline x=3                          the version that was there before (0 where nothing is said), known at time 0
    a write x=4    0..10                  session a's write became version 4 and was acknowledged
    a write x=5   11..    info            nobody knows; `fail`: refused
    b read  x=3   25..30  via=w1          words after the times: ok (the default), info, fail, and name=value
    -  read x=4   31..32  phase=final     session "-": nobody's
    audit x=4                             a row of the audit table; `audited` ends it: it is complete
    fault kill node-2 10..20              planned and healed at these times; without an end it never was

A write's operation id is its key and version (`x4`), and a read carries that of the version it returned; `op=` says
otherwise, `op=-` none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cluster.history.columns import History
from cluster.history.gathering import Gathering
from cluster.history.line import (
    SCHEMA,
    AnyLine,
    Audit,
    Audited,
    Baseline,
    Fail,
    Fault,
    Header,
    Info,
    Invocation,
    Ok,
)
from cluster.history.operation import NO_VERSION, Kind, Layer, Outcome, Phase

MS = 1_000_000
COMPLETIONS: dict[Outcome, type[Ok | Fail | Info]] = {Outcome.OK: Ok, Outcome.FAIL: Fail, Outcome.INFO: Info}


@dataclass(frozen=True, slots=True, kw_only=True)
class Op:
    """One operation; times in milliseconds, `returned` of an `info` write meaningless."""

    kind: Kind
    key: str = "x"
    version: int = NO_VERSION
    invoked: int
    returned: int
    outcome: Outcome = Outcome.OK
    session: str = ""
    via: str = "edge"
    operation_id: str = ""
    phase: Phase = Phase.WARM
    layer: Layer = Layer.NONE
    digest: int = 0
    user: str = ""
    owner: str = ""
    status: int = 200
    error: str = ""
    pending: bool = False
    late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of the audit table."""

    key: str
    version: int
    operation_id: str


def history(text: str) -> History:
    """The history written in `text`."""
    operations: list[Op] = []
    baselines: dict[str, int] = {}
    rows: list[Row] = []
    audited = False
    faults: list[Fault] = []
    for line in text.strip().splitlines():
        words = line.split()
        if words[0] == "baseline":
            key, version = words[1].split("=")
            baselines[key] = int(version)
        elif words[0] == "audit":
            key, version = words[1].split("=")
            named = dict(word.split("=", 1) for word in words[2:])
            rows.append(Row(key=key, version=int(version), operation_id=named.get("op", key + version)))
        elif words[0] == "audited":
            audited = True
        elif words[0] == "fault":
            start, end = words[3].split("..")
            faults.append(Fault(0, int(start) * MS, words[1], "plan", words[2]))
            faults += [Fault(0, int(end) * MS, words[1], "stop", words[2])] if end else []
        else:
            operations.append(_operation(words))
    return history_of(operations, baselines=baselines, rows=rows, audited=audited, faults=faults)


def _operation(words: list[str]) -> Op:
    session, kind, value, times, *rest = words
    key, _, version = value.partition("=")
    invoked, returned = times.split("..")
    outcome = next((Outcome(word) for word in rest if "=" not in word), Outcome.OK)
    named = dict(word.split("=", 1) for word in rest if "=" in word)
    unknown = named.keys() - {
        "via",
        "op",
        "phase",
        "layer",
        "digest",
        "user",
        "owner",
        "status",
        "error",
        "pending",
        "late",
    }
    assert not unknown, f"unknown words {unknown}"
    operation_id = named.get("op", key + version if version not in ("", "0") else "-")
    return Op(
        kind=Kind(kind),
        key=key,
        version=int(version) if version else NO_VERSION,
        invoked=int(invoked),
        returned=int(returned or invoked),
        outcome=outcome,
        session="" if session == "-" else session,
        via=named.get("via", "edge"),
        operation_id="" if operation_id == "-" else operation_id,
        phase=Phase(named.get("phase", "warm")),
        layer=Layer(named.get("layer", "")),
        digest=int(named.get("digest", 0)),
        user=named.get("user", ""),
        owner=named.get("owner", ""),
        status=int(named.get("status", 200)),
        error=named.get("error", ""),
        pending=named.get("pending") == "yes",
        late=int(named.get("late", 0)),
    )


def history_of(
    operations: Iterable[Op],
    *,
    baselines: dict[str, int] | None = None,
    baseline_at: int = 0,
    rows: Iterable[Row] = (),
    audited: bool = False,
    faults: Iterable[Fault] = (),
) -> History:
    """The history of these operations. Every key that is named has a baseline, 0 where none is given.

    Baselines are known at `baseline_at` (ms).
    """
    gathering = Gathering(Header(0, SCHEMA))
    operations = list(operations)
    for key, version in ({operation.key: 0 for operation in operations} | (baselines or {})).items():
        gathering.feed(Baseline(0, baseline_at * MS, key, version))
    for line in operation_lines(operations):
        gathering.feed(line)
    for fault in faults:
        gathering.feed(fault)
    rows = list(rows)
    for row in rows:
        gathering.feed(Audit(0, 10**12, row.key, row.version, row.operation_id))
    if audited:
        gathering.feed(Audited(0, 10**12, len(rows)))
    return gathering.finish()


def operation_lines(operations: list[Op]) -> Iterable[AnyLine]:
    """The invocations and completions, in order of time. An invocation's index is its operation's place + 1."""
    events: list[tuple[int, int, int, AnyLine]] = []
    for place, operation in enumerate(operations):
        call, end = _call_and_end(operation, place)
        events += [(call.time_ns, 0, place, call), (end.time_ns, 1, place, end)]
    # Calls first: what begins in the instant in which something else ends is concurrent with it.
    return [line for *_, line in sorted(events, key=lambda event: event[:3])]


def _call_and_end(operation: Op, place: int) -> tuple[Invocation, Ok | Fail | Info]:
    write, happened = operation.kind is Kind.WRITE, operation.outcome is Outcome.OK
    call = Invocation(
        place + 1,
        operation.invoked * MS,
        place,
        operation.kind,
        operation.key,
        operation.via,
        operation.phase,
        session=operation.session,
        user=operation.user,
        operation_id=operation.operation_id if write else "",
        late_ns=operation.late * MS,
    )
    end = COMPLETIONS[operation.outcome](
        place + 1,
        operation.returned * MS,
        place,
        version=operation.version if happened else NO_VERSION,
        operation_id="" if write or not happened else operation.operation_id,
        digest=operation.digest,
        status=operation.status,
        layer=operation.layer,
        owner=operation.owner,
        error=operation.error,
        pending=operation.pending,
    )
    return call, end
