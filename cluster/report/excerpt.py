"""Excerpt: the operations around a witness, on the same key, so that a reader can see why a read was wrong.

                      12.2 s                                                            14.3 s
    write v39  s4  edge   ├──┤                                                                      acknowledged here …
    read  v39  s1  worker      ├─┤
    read  v38  s8  edge                                                            ├──┤             … and still v38 here

Only what can matter is shown: from the newer write to the read that came too late, the nearest when there is too much.
"""

from __future__ import annotations

import re

import msgspec

from cluster.history.columns import INFO, KINDS, WRITE, History

ROWS_MAX = 24
AROUND_NS = 50_000_000
NAMED = re.compile(r"#(\d+)")


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """One operation as a bar: where it begins and how long it is, in percent of the excerpt's span."""

    index: int
    what: str
    who: str
    via: str
    says: str
    outcome: str
    began_s: float
    left: float
    width: float
    accused: bool


class Excerpt(msgspec.Struct, frozen=True, kw_only=True):
    """The operations on `key` from `began_s` to `ended_s`, in order of invocation; `left_out` more were not shown."""

    key: str
    began_s: float
    ended_s: float
    bars: tuple[Bar, ...]
    left_out: int


def excerpt(history: History, witness: str, origin_ns: int) -> Excerpt | None:
    """What happened around the operations that a witness names (`#11650`); None where it names none of them."""
    named = {int(index) for index in NAMED.findall(witness)}
    marked = {row for row, index in enumerate(history.index) if index in named}
    if not marked:
        return None
    key = history.key[min(marked)]
    begins_ns = min(history.invoked_ns[row] for row in marked) - AROUND_NS
    ends_ns = max(_ended_ns(history, row) for row in marked) + AROUND_NS
    rows = [
        row
        for row, (number, invoked_ns) in enumerate(zip(history.key, history.invoked_ns, strict=True))
        if number == key and begins_ns <= invoked_ns <= ends_ns
    ]
    shown = sorted(_nearest(history, rows, marked), key=history.invoked_ns.__getitem__)
    return Excerpt(
        key=history.keys[key],
        began_s=(begins_ns - origin_ns) / 1e9,
        ended_s=(ends_ns - origin_ns) / 1e9,
        bars=tuple(_bar(history, row, begins_ns, ends_ns, origin_ns, accused=row in marked) for row in shown),
        left_out=len(rows) - len(shown),
    )


def _nearest(history: History, rows: list[int], marked: set[int]) -> list[int]:
    """All rows if they are few; else the accused, then writes, then what lies nearest to the accused in the file."""
    if len(rows) <= ROWS_MAX:
        return rows
    last = max(marked)

    def distance(row: int) -> tuple[bool, bool, int]:
        return (row not in marked, history.kind[row] != WRITE, abs(row - last))

    return sorted(rows, key=distance)[:ROWS_MAX]


def _bar(history: History, row: int, begins_ns: int, ends_ns: int, origin_ns: int, *, accused: bool) -> Bar:
    span_ns = max(1, ends_ns - begins_ns)
    operation = history.operation(row)
    invoked_ns = operation.invoked_ns
    returned_ns = min(ends_ns, operation.returned_ns)
    version = "" if operation.version < 0 else f" v{operation.version}"
    return Bar(
        index=operation.index,
        what=f"{KINDS[history.kind[row]].value}{version}",
        who=operation.session or "nobody",
        via=operation.via,
        says=", ".join(part for part in (operation.worker or operation.node, operation.layer.value) if part),
        outcome=operation.outcome.value,
        began_s=(invoked_ns - origin_ns) / 1e9,
        left=round(100 * (invoked_ns - begins_ns) / span_ns, 2),
        width=round(max(0.4, 100 * (returned_ns - invoked_ns) / span_ns), 2),
        accused=accused,
    )


def _ended_ns(history: History, row: int) -> int:
    """When an operation ended; of one whose end nobody saw, when it began."""
    return history.invoked_ns[row] if history.outcome[row] == INFO else history.returned_ns[row]
