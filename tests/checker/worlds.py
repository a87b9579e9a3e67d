"""Random worlds of one key, small enough to be searched, from a seed. Times lie close together, so that many are equal.

`wild` throws versions and times together. `served` plays a register that commits each write at an instant inside its
interval and answers reads from a past instant: mostly right, sometimes late. Both then do what the world does: lose
replies, refuse writes, show refused or never-written values, give one version twice, leave operation ids out.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

from cluster.history.columns import History
from cluster.history.operation import Kind, Outcome
from tests.checker.notation import Op, Row, history_of
from tests.checker.oracle import World

SESSIONS = ("", "a", "a", "b")
VIAS = ("edge", "w1")


def world_of(chance: Random) -> World:
    """A random world with at most eight operations."""
    operations, baseline = wild(chance) if chance.random() < 0.3 else served(chance)
    operations = [_uncertain(chance, each) if each.kind is Kind.WRITE else each for each in operations]
    operations = [_carrying(chance, each, operations, baseline) for each in operations]
    chance.shuffle(operations)
    info = [each.operation_id for each in operations if each.outcome is Outcome.INFO]
    landed = frozenset(each for each in info if chance.random() < 0.6)
    # What was there before may become known while the first operations are under way; not if older versions are shown.
    baseline_at = 0 if any(each.version < baseline for each in operations) else chance.choice((0, 3))
    return World(
        tuple(operations),
        baseline=baseline,
        baseline_at=baseline_at,
        landed=landed,
        audited=chance.random() < 0.5,
    )


def history_of_world(world: World) -> History:
    """What the judges are told of a world."""
    committed = world.acknowledged + [each for each in world.unknown if each.operation_id in world.landed]
    rows = [Row(key=each.key, version=each.version, operation_id=each.operation_id) for each in committed]
    return history_of(
        world.operations,
        baselines={"x": world.baseline},
        baseline_at=world.baseline_at,
        rows=rows if world.audited else [],
        audited=world.audited,
    )


def wild(chance: Random) -> tuple[list[Op], int]:
    """Versions and times without any sense."""
    baseline = chance.choice((0, 0, 2))
    operations = []
    for _ in range(chance.randint(1, 6)):
        invoked = chance.randint(1, 9)
        kind = chance.choice((Kind.READ, Kind.READ, Kind.WRITE))
        version = chance.randint(0 if kind is Kind.READ else baseline + 1, baseline + 3)
        operations.append(_op(chance, kind, version, invoked, invoked + chance.randint(0, 4)))
    return operations, baseline


def served(chance: Random) -> tuple[list[Op], int]:
    """A register: writes commit in order, reads see what was committed at some instant, perhaps before they began."""
    baseline = chance.choice((0, 0, 5))
    committed = [(0, baseline)]
    operations = []
    for version in range(baseline + 1, baseline + 1 + chance.randint(1, 3)):
        instant = committed[-1][0] + chance.randint(1, 4)
        committed.append((instant, version))
        invoked = max(1, instant - chance.randint(0, 3))
        operations.append(_op(chance, Kind.WRITE, version, invoked, instant + chance.randint(0, 3)))
    late = chance.choice((0, 0, 4, 9))
    for _ in range(chance.randint(1, 5)):
        instant = chance.randint(1, committed[-1][0] + 4)
        seen_at = instant - chance.randint(0, late)
        version = max((each for at, each in committed if at <= seen_at), default=baseline)
        invoked = max(1, instant - chance.randint(0, 2))
        operations.append(_op(chance, Kind.READ, version, invoked, instant + chance.randint(0, 2)))
    return operations, baseline


def _op(chance: Random, kind: Kind, version: int, invoked: int, returned: int) -> Op:
    return Op(
        kind=kind,
        version=version,
        invoked=invoked,
        returned=returned,
        session=chance.choice(SESSIONS),
        via=chance.choice(VIAS) if kind is Kind.READ else "edge",
        operation_id=f"w{version}.{chance.getrandbits(20)}" if kind is Kind.WRITE else "",
    )


def _uncertain(chance: Random, write: Op) -> Op:
    outcome = chance.choices((Outcome.OK, Outcome.INFO, Outcome.FAIL), (0.72, 0.2, 0.08))[0]
    return replace(write, outcome=outcome)


def _carrying(chance: Random, read: Op, operations: list[Op], baseline: int) -> Op:
    """The read with the operation id of the write whose value it returned; rarely with a value nobody wrote."""
    if read.kind is Kind.WRITE:
        return read
    fate = chance.random()
    if fate < 0.03:
        return replace(read, version=baseline + 9, operation_id="ghost")
    if read.version <= baseline:
        return read
    writers = [each for each in operations if each.kind is Kind.WRITE and each.version == read.version]
    if fate < 0.06:
        # Not an unknown one: what its version is, is known by nothing but the reads that carry it.
        writers = [each for each in operations if each.kind is Kind.WRITE and each.outcome is not Outcome.INFO]
    return replace(read, operation_id=chance.choice(writers).operation_id if writers else "ghost")
