"""Convergence: how long after a write was acknowledged did somebody still answer without it?

Per acknowledged write and per `via` (whom the driver asked, e.g. one worker): the invocation of the last read that
returned an older version, less the write's return; 0 if there was none. *Censored*: even the last read through that via
was older, so the true time is longer. *Unobserved*: nobody asked that via after the write (Jepsen's set-full: stable,
lost, never read).
"""

from __future__ import annotations

from array import array
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from cluster.checker.anomaly import SlowToConverge
from cluster.checker.register import Register, Registers
from cluster.checker.settling import NO_ROW
from cluster.checker.verdict import KEPT_MAX, Decision, Verdict, decide
from cluster.history.columns import FINAL
from cluster.history.operation import FOREVER


@dataclass(frozen=True, slots=True, kw_only=True)
class Convergence(Verdict):
    """The verdict, and what was measured: one time for each write and via that was observed.

    `after_ns` is sorted; `censored` of its entries are lower bounds; `unobserved` pairs have no entry.
    """

    after_ns: array[int]
    censored: int
    unobserved: int


@dataclass(slots=True)
class _Via:
    """The reads of one key through one via: when each rank was last seen, and the last read of all."""

    final_place: int
    last_invoked_ns: dict[int, int] = field(default_factory=dict)
    last_places: dict[int, int] = field(default_factory=dict)


def convergence(
    registers: Registers, *, bound_ns: int | None = None, pairs_min: int = 1, vias: Container[int] | None = None
) -> Convergence:
    """How long each write took to be seen through each via and, with a bound, whether none took longer.

    A via that was still behind in its final read, when all had come to rest, convicts with or without a bound. Valid
    needs at least `pairs_min` pairs of write and via that were observed, and none that the history left open. `vias`:
    the numbers of those that count; None: all.
    """
    after, censored, unobserved, found = array("q"), 0, 0, 0
    slow: list[tuple[int, int, int, bool]] = []
    phases = registers.history.phase
    for register in registers:
        for number, via in _by_via(registers, register).items():
            if vias is not None and number not in vias:
                continue
            last_invoked = register.read_invoked_ns[via.final_place]
            last_rank = register.read_ranks[via.final_place]
            came_to_rest = phases[register.read_rows[via.final_place]] == FINAL
            for row, returned, rank, last_older, place in _older_reads(register, via):
                if last_invoked <= returned:
                    unobserved += 1
                    continue
                behind = last_rank < rank
                after_ns = max(0, last_older - returned)
                after.append(after_ns)
                censored += behind
                if (behind and came_to_rest) or (bound_ns is not None and after_ns > bound_ns):
                    found += 1
                    slow.append((after_ns, row, register.read_rows[place], behind))
            if len(slow) > KEPT_MAX:
                slow = sorted(slow, reverse=True)[:KEPT_MAX]
    anomalies = _anomalies(registers, slow)
    decision, reason = _decide(found, after, censored, pairs_min)
    return Convergence(
        property="convergence",
        decision=decision,
        reason=reason,
        checked=len(after),
        found=found,
        anomalies=anomalies,
        after_ns=array("q", sorted(after)),
        censored=censored,
        unobserved=unobserved,
    )


def _by_via(registers: Registers, register: Register) -> dict[int, _Via]:
    """Reads are in order of invocation, so that what is written last is the last read."""
    column = registers.history.via
    found: dict[int, _Via] = {}
    columns = zip(register.read_rows, register.read_ranks, register.read_invoked_ns, strict=True)
    for place, (row, rank, invoked) in enumerate(columns):
        via = found.get(column[row])
        if via is None:
            via = found[column[row]] = _Via(final_place=place)
        via.last_invoked_ns[rank] = invoked
        via.last_places[rank] = place
        # Of several last reads in one instant the newest counts: they are concurrent, and order is not to convict.
        final = via.final_place
        if register.read_invoked_ns[final] < invoked or register.read_ranks[final] <= rank:
            via.final_place = place
    return found


def _older_reads(register: Register, via: _Via) -> Iterator[tuple[int, int, int, int, int]]:
    """For each acknowledged write: (row, returned, rank, when and where the via last answered with an older version).

    One pass over both, as writes and ranks are sorted. The time is -1 where it never did.
    """
    ranks = iter(sorted(via.last_invoked_ns))
    rank = next(ranks)
    last_older, place = -1, 0
    end = len(register.versions)
    columns = zip(register.write_rows, register.write_returned_ns, register.write_ranks, strict=True)
    for row, returned, write_rank in columns:
        while rank < write_rank:
            if via.last_invoked_ns[rank] > last_older:
                last_older, place = via.last_invoked_ns[rank], via.last_places[rank]
            rank = next(ranks, end)
        if row != NO_ROW and returned != FOREVER:
            yield row, returned, write_rank, last_older, place


def _anomalies(registers: Registers, slow: list[tuple[int, int, int, bool]]) -> tuple[SlowToConverge, ...]:
    operation = registers.history.operation
    return tuple(
        SlowToConverge(write=operation(write), read=operation(read), after_ns=after_ns, censored=behind)
        for after_ns, write, read, behind in sorted(slow, reverse=True)[:KEPT_MAX]
    )


def _decide(found: int, after: array[int], censored: int, pairs_min: int) -> tuple[Decision, str]:
    things = "pairs of write and reader"
    flaw = "converged too late or never"
    decision, reason = decide(checked=len(after), checked_min=pairs_min, found=found, things=things, flaw=flaw)
    if decision is Decision.VALID and censored:
        return Decision.UNKNOWN, f"{censored} of {len(after)} {things} end while the reader is still behind"
    return decision, reason
