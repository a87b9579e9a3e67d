"""The rules again, as slowly and as literally as they can be said: what the judges are compared with.

Linearizability is decided by searching every order (Wing and Gong, "Testing and verifying concurrent objects", 1993);
the others by looking at every pair of operations. Nothing here is shared with the judges. One key, times in ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from cluster.history.operation import Kind, Outcome
from tests.checker.notation import Op

FOREVER = 10**9


@dataclass(frozen=True, slots=True)
class World:
    """What really happened to one key: the operations as clients saw them, and what the database knows.

    `baseline` was there before, and known to be at the time `baseline_at`. `landed` holds the operation ids of the
    unknown writes that were committed, and is told to the judges only if `audited`. Each `info` operation knows its
    version here; the judges are not told.
    """

    operations: tuple[Op, ...]
    baseline: int = 0
    baseline_at: int = 0
    landed: frozenset[str] = field(default_factory=frozenset)
    audited: bool = False

    @property
    def reads(self) -> list[Op]:
        """The answered reads."""
        return [each for each in self.operations if each.kind is Kind.READ and each.outcome is Outcome.OK]

    @property
    def acknowledged(self) -> list[Op]:
        """The acknowledged writes."""
        return [each for each in self.operations if each.kind is Kind.WRITE and each.outcome is Outcome.OK]

    @property
    def unknown(self) -> list[Op]:
        """The writes of unknown end which may have happened, as far as anybody can tell; they never return."""
        found = [each for each in self.operations if each.kind is Kind.WRITE and each.outcome is Outcome.INFO]
        if self.audited:
            found = [each for each in found if each.operation_id in self.landed]
        else:
            carried = {read.operation_id for read in self.reads}
            found = [each for each in found if each.operation_id in carried]
        return [replace(each, returned=FOREVER) for each in found]


def linearizable(world: World) -> bool:
    """Whether some order of all operations, within their intervals, is one that a single register could have given."""
    required = world.reads + world.acknowledged + (world.unknown if world.audited else [])
    optional = [] if world.audited else world.unknown
    operations = required + optional
    must = (1 << len(required)) - 1
    before = [
        sum(1 << other for other, earlier in enumerate(operations) if earlier.returned < each.invoked)
        for each in operations
    ]

    @cache
    def possible(done: int, version: int, operation_id: str) -> bool:
        if done & must == must:
            return True
        for place, each in enumerate(operations):
            if done >> place & 1 or before[place] & ~done & must:
                continue
            after = done | 1 << place
            if each.kind is Kind.WRITE:
                if each.version > version and possible(after, each.version, each.operation_id):
                    return True
            elif (each.version, each.operation_id) == (version, operation_id) and possible(
                after, version, operation_id
            ):
                return True
        return False

    return possible(0, world.baseline, "")


def phantoms(world: World) -> dict[int, bool]:
    """The places of the reads that nobody can have written, and whether they carry a write that did not happen."""
    happened = world.acknowledged + world.unknown
    refused = {each.operation_id for each in world.operations if each.outcome is Outcome.FAIL}
    if world.audited:
        unknown = {each.operation_id for each in world.operations if each.outcome is Outcome.INFO}
        refused |= unknown - world.landed
    found = {}
    for place, read in enumerate(world.operations):
        if read.kind is not Kind.READ or read.outcome is not Outcome.OK:
            continue
        writers = [each for each in happened if each.version == read.version]
        too_late = bool(writers) and min(each.invoked for each in writers) > read.returned
        another = read.operation_id not in {"", *(each.operation_id for each in writers)}
        if read.operation_id in refused or (read.version > world.baseline and (not writers or too_late or another)):
            found[place] = read.operation_id in refused
    return found


def stale(world: World) -> set[int]:
    """The places of the reads that an acknowledged write condemns."""
    return {
        place
        for place, read in _true_reads(world)
        if any(write.version > read.version and write.returned < read.invoked for write in world.acknowledged)
        or (world.baseline > read.version and read.invoked > world.baseline_at)
    }


def delta(world: World) -> int | None:
    """The smallest time by which all reads must begin earlier to make the world linearizable; None: no time does."""
    ends = {world.baseline_at} | {each.returned for each in world.operations}
    shifts = sorted({0} | {each.invoked - end for each in world.operations for end in ends if each.invoked > end})
    # An earlier beginning only widens an interval: if the largest shift does not mend it, none does.
    if not linearizable(_shifted(world, shifts[-1])):
        return None
    return next(shift for shift in shifts if linearizable(_shifted(world, shift)))


def _shifted(world: World, shift: int) -> World:
    """The world whose reads began earlier by `shift`."""
    return replace(
        world,
        operations=tuple(
            replace(each, invoked=each.invoked - shift) if each.kind is Kind.READ else each for each in world.operations
        ),
    )


def went_back(world: World, *, kind: Kind) -> set[int]:
    """The places of the reads that show less than the session's own earlier reads, or acknowledged writes, did."""
    trusted = [each for _, each in _true_reads(world)] if kind is Kind.READ else world.acknowledged
    return {
        place
        for place, read in _true_reads(world)
        if read.session
        and any(
            each.session == read.session and each.returned < read.invoked and each.version > read.version
            for each in trusted
        )
    }


def convergence_ms(world: World) -> tuple[list[int], int]:
    """For each acknowledged write and via that was asked after it: how long an older version was still returned.

    And how many pairs there are of a write and a via that was not asked after it.
    """
    found, unobserved = [], 0
    reads = [each for _, each in _true_reads(world)]
    for write in world.acknowledged:
        for via in {each.via for each in reads}:
            mine = [each for each in reads if each.via == via]
            if max(each.invoked for each in mine) <= write.returned:
                unobserved += 1
                continue
            older = [each.invoked - write.returned for each in mine if each.version < write.version]
            found.append(max([0, *older]))
    return sorted(found), unobserved


def at_once(reads: Sequence[Op]) -> int:
    """The most reads that are open in one instant."""
    instants = {each.invoked for each in reads} | {each.returned for each in reads}
    return max(sum(each.invoked <= instant <= each.returned for each in reads) for instant in instants)


def _true_reads(world: World) -> list[tuple[int, Op]]:
    """The answered reads that are no phantoms, with their places."""
    left_out = phantoms(world)
    return [
        (place, each)
        for place, each in enumerate(world.operations)
        if each.kind is Kind.READ and each.outcome is Outcome.OK and place not in left_out
    ]
