"""Session: what may one session expect of its own order? Monotonic reads, and read your writes.

Terry et al., "Session guarantees for weakly consistent replicated data", PDIS 1994. Per session and key: a read returns
no less than what the session's own reads (monotonic reads) or own acknowledged writes (read your writes) had returned
*before it began*. A session may do several things at once; those are concurrent and say nothing of each other. A write
of unknown end promises nothing until a read has shown it. Operations without a session are nobody's.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Container, Iterator, Sequence
from typing import TypeAlias

from cluster.checker.anomaly import WentBack
from cluster.checker.register import Register, Registers
from cluster.checker.settling import NO_ROW
from cluster.checker.verdict import KEPT_MAX, Verdict, verdict
from cluster.history.operation import FOREVER

_Shown: TypeAlias = dict[int, list[tuple[int, int, int]]]
"""Session → (returned_ns, rank, row) of what it was shown, sorted."""


def monotonic_reads(registers: Registers, *, reads_min: int = 1, excepted: Container[tuple[int, int]] = ()) -> Verdict:
    """Whether no session was shown a version, then an older one; valid needs `reads_min` reads that had one before.

    `excepted`: versions that bind nobody who saw them, as (key's number, version).
    """
    return _judge(registers, "monotonic reads", _own_reads, reads_min, excepted)


def read_your_writes(registers: Registers, *, reads_min: int = 1, excepted: Container[tuple[int, int]] = ()) -> Verdict:
    """Whether each session saw its own acknowledged writes; valid needs `reads_min` reads that had one before.

    `excepted`: versions whose writers were promised nothing, as (key's number, version).
    """
    return _judge(registers, "read your writes", _own_writes, reads_min, excepted)


def _judge(
    registers: Registers,
    name: str,
    own: Callable[[Register, array[int]], _Shown],
    reads_min: int,
    excepted: Container[tuple[int, int]],
) -> Verdict:
    checked, found = 0, 0
    kept: list[tuple[int, int]] = []
    sessions = registers.history.session
    for register in registers:
        shown = own(register, sessions)
        if excepted:
            shown = _without(shown, register, excepted)
        for session, places in _reads_by_session(register, sessions, shown).items():
            for place, floor, row in _floors(register, places, shown[session]):
                checked += 1
                if register.read_ranks[place] < floor:
                    found += 1
                    if len(kept) < KEPT_MAX:
                        kept.append((register.read_rows[place], row))
    operation = registers.history.operation
    anomalies = tuple(WentBack(read=operation(read), seen=operation(seen)) for read, seen in kept)
    return verdict(
        name,
        checked=checked,
        checked_min=reads_min,
        found=found,
        things="reads that had one before",
        flaw="went back",
        anomalies=anomalies,
    )


def _floors(register: Register, places: list[int], shown: list[tuple[int, int, int]]) -> Iterator[tuple[int, int, int]]:
    """For each read of a session, by invocation: (place, the highest rank that the session had been shown, its row).

    Reads before which it had been shown nothing are left out.
    """
    coming = iter(shown)
    returned, rank, row = next(coming)
    floor, floor_row = -1, NO_ROW
    invoked_ns = register.read_invoked_ns
    for place in places:
        # Strictly before: what returns in the instant in which the read begins is concurrent with it.
        while returned < invoked_ns[place]:
            if rank > floor:
                floor, floor_row = rank, row
            returned, rank, row = next(coming, (FOREVER, 0, NO_ROW))
        if floor >= 0:
            yield place, floor, floor_row


def _reads_by_session(register: Register, sessions: array[int], shown: _Shown) -> dict[int, list[int]]:
    """Session → the places of its reads, by invocation; only sessions that were shown anything."""
    found: dict[int, list[int]] = {session: [] for session in shown}
    for place, row in enumerate(register.read_rows):
        places = found.get(sessions[row])
        if places is not None:
            places.append(place)
    return found


def _without(shown: _Shown, register: Register, excepted: Container[tuple[int, int]]) -> _Shown:
    """What a session was shown, without the versions that are excepted."""
    kept = {
        session: [event for event in events if (register.key, register.versions[event[1]]) not in excepted]
        for session, events in shown.items()
    }
    return {session: events for session, events in kept.items() if events}


def _own_reads(register: Register, sessions: array[int]) -> _Shown:
    return _by_session(register.read_returned_ns, register.read_ranks, register.read_rows, sessions)


def _own_writes(register: Register, sessions: array[int]) -> _Shown:
    return _by_session(register.write_returned_ns, register.write_ranks, register.write_rows, sessions)


def _by_session(returned_ns: Sequence[int], ranks: Sequence[int], rows: Sequence[int], sessions: array[int]) -> _Shown:
    shown: _Shown = {}
    for returned, rank, row in zip(returned_ns, ranks, rows, strict=True):
        session = sessions[row] if row != NO_ROW else 0
        if session and returned != FOREVER:
            shown.setdefault(session, []).append((returned, rank, row))
    for events in shown.values():
        events.sort()
    return shown
