"""Which writes surely happened, and as which version: decided before anything is judged.

An acknowledged write happened. A refused one did not. Of an unknown one (`info`) the audit table decides; without it, a
read that carried the write's id proves that it happened, and one that nobody saw is dropped: whether it happened makes
no difference to any answer. A write that did happen though its end is unknown stays concurrent with everything after
its invocation, so it never convicts a read by having returned.

    audit complete?   in the audit   seen by a read        info write …
    yes               yes            –                     happened, as the audit's version
    yes               no             –                     never happened (a read that carries it is a phantom)
    no                yes            –                     happened, as the audit's version
    no                no             yes                   happened, as the read's version
    no                no             no                    dropped
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster.checker.anomaly import PhantomKind
from cluster.history.columns import FAIL, OK, WRITE, History
from cluster.history.operation import BEGINNING, FOREVER, NO_VERSION

NO_ROW = -1
"""In place of a row: a write that is not an operation of this history (from before it, or somebody else's)."""


@dataclass(slots=True)
class Settled:
    """The writes of one key that happened, sorted by version: (version, invoked_ns, returned_ns, row, operation id).

    `barred` holds the numbers of operation ids that never happened, with the phantom that a read of one would be.
    `unplaced_ns`: the earliest invocation of a write whose version nobody knows and which may explain a version that
    no known write became; FOREVER if there is none.
    """

    entries: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    barred: dict[int, PhantomKind] = field(default_factory=dict)
    unplaced_ns: int = FOREVER


def settle(
    history: History, key: int, write_rows: list[int], read_rows: list[int], audit: dict[int, list[int]]
) -> Settled:
    """What surely happened to `key`.

    `write_rows`, `read_rows`: the rows of its writes and of its answered reads, these by invocation; `audit`: operation
    id → versions, the audit rows of this key (more than one, if a write was applied twice).
    """
    settled = Settled()
    foreign = dict(audit)
    seen: dict[int, int] | None = None
    for row in write_rows:
        operation_id, outcome = history.operation_id[row], history.outcome[row]
        committed = foreign.pop(operation_id, [])
        version = history.version[row] if outcome == OK else NO_VERSION
        if version == NO_VERSION and committed:
            version = committed[0]
        for other in committed:
            if other != version:
                # Committed as something else than was answered, or twice: untrue answers, yet no phantoms.
                settled.entries.append((other, history.invoked_ns[row], FOREVER, row, operation_id))
        if outcome == FAIL:
            settled.barred[operation_id] = PhantomKind.ABORTED
        elif version == NO_VERSION and history.audited:
            settled.barred[operation_id] = PhantomKind.UNCOMMITTED
        else:
            if version == NO_VERSION:
                seen = _carried(history, read_rows) if seen is None else seen
                version = seen.get(operation_id, NO_VERSION)
            _place(settled, history, row, version)
    for operation_id, versions in foreign.items():
        # Somebody else's writes: committed, nobody here knows when.
        settled.entries += [(version, BEGINNING, FOREVER, NO_ROW, operation_id) for version in versions]
    baseline = history.baselines.get(key)
    if baseline is not None:
        settled.entries.append((baseline[0], BEGINNING, baseline[1], NO_ROW, 0))
    settled.entries.sort()
    return settled


def _place(settled: Settled, history: History, row: int, version: int) -> None:
    """Enter the write in `row`, which happened or may have, as `version`; NO_VERSION: nobody knows as which."""
    invoked = history.invoked_ns[row]
    if version == NO_VERSION:
        settled.unplaced_ns = min(settled.unplaced_ns, invoked)
    else:
        entry = (version, invoked, history.returned_ns[row], row, history.operation_id[row])
        settled.entries.append(entry)


def _carried(history: History, read_rows: list[int]) -> dict[int, int]:
    """Operation id → version, as the first read of the key that carried it had it. `read_rows` by invocation."""
    return {history.operation_id[row]: history.version[row] for row in reversed(read_rows) if history.operation_id[row]}


def audit_by_key(history: History) -> list[dict[int, list[int]]]:
    """For each key's number, operation id → versions: the audit rows."""
    tables: list[dict[int, list[int]]] = [{} for _ in range(len(history.keys))]
    for key, version, operation_id in zip(
        history.audit_keys, history.audit_versions, history.audit_operation_ids, strict=True
    ):
        tables[key].setdefault(operation_id, []).append(version)
    return tables


def rows_by_key(history: History) -> tuple[list[list[int]], list[list[int]]]:
    """For each key's number, the rows of its writes, and of its reads that were answered with a version."""
    count = len(history.keys)
    writes: list[list[int]] = [[] for _ in range(count)]
    reads: list[list[int]] = [[] for _ in range(count)]
    columns = zip(history.key, history.kind, history.outcome, history.version, strict=True)
    for row, (key, kind, outcome, version) in enumerate(columns):
        if kind == WRITE:
            writes[key].append(row)
        elif outcome == OK and version != NO_VERSION:
            reads[key].append(row)
    return writes, reads
