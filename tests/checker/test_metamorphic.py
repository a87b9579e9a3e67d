"""What must not change a verdict, or may only mend it: the same world told otherwise.

No oracle is needed here: the verdicts of the two tellings are compared with each other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from cluster.checker.judgement import Judgement, judge
from cluster.history.operation import Kind
from tests.checker.notation import Op, history_of
from tests.checker.oracle import World
from tests.checker.worlds import history_of_world, world_of

WORLDS = 1_000
CONVICTIONS = ("phantom", "linearizable", "regular", "monotonic_reads", "read_your_writes")


def verdicts(judgement: Judgement) -> dict[str, tuple[str, int]]:
    """Each property's decision and number of anomalies, and the worst staleness."""
    found = {each.property: (each.decision.value, each.found) for each in judgement.verdicts}
    return found | {"worst": ("", judgement.staleness.worst_at_least_ns)}


def told(world: World, change: Callable[[Op], Op]) -> Judgement:
    """The judgement on the world with each operation changed."""
    return judge(history_of_world(replace(world, operations=tuple(map(change, world.operations)))))


def later(operation: Op) -> Op:
    return replace(operation, invoked=operation.invoked + 1000, returned=operation.returned + 1000)


def renamed_session(operation: Op) -> Op:
    return replace(operation, session={"a": "b", "b": "a"}.get(operation.session, ""))


def renamed_via(operation: Op) -> Op:
    return replace(operation, via={"edge": "w1", "w1": "edge"}[operation.via])


@pytest.mark.parametrize("change", [later, renamed_session, renamed_via], ids=lambda change: change.__name__)
def test_a_change_of_names_or_of_the_clocks_zero_changes_nothing(change: Callable[[Op], Op]) -> None:
    """Verdicts hang on order alone, not on what things are called or when the clock began.

    (Baselines are known at time 0, so worlds with reads from before them are left out of the shift.)
    """
    for seed in range(WORLDS):
        world = world_of(Random(seed))
        if change is later and any(read.version < world.baseline for read in world.reads):
            continue
        assert verdicts(told(world, change)) == verdicts(judge(history_of_world(world))), f"seed {seed}: {world}"


def test_the_order_of_the_lines_changes_nothing() -> None:
    """Who is written down first is chance."""
    for seed in range(WORLDS):
        world = world_of(Random(seed))
        other = replace(world, operations=tuple(reversed(world.operations)))
        assert verdicts(judge(history_of_world(other))) == verdicts(judge(history_of_world(world))), f"seed {seed}"


def test_a_second_key_changes_nothing_but_the_counts() -> None:
    """Keys are judged apart: two copies of a world have twice its anomalies."""
    for seed in range(WORLDS):
        world = replace(world_of(Random(seed)), audited=False)
        copies = [replace(each, key="y", operation_id=each.operation_id and "y" + each.operation_id)
                  for each in world.operations]  # fmt: skip
        one = judge(history_of(world.operations, baselines={"x": world.baseline}))
        two = judge(history_of([*world.operations, *copies], baselines={"x": world.baseline, "y": world.baseline}))
        for name in CONVICTIONS:
            assert getattr(two, name).found == 2 * getattr(one, name).found, f"seed {seed}: {name}"


def test_without_one_read_nothing_gets_worse() -> None:
    """A read only adds evidence: leaving one out never adds an anomaly of any kind.

    (With one exception: without an audit, a read may be all that proves an unknown write, and its absence then makes
    phantoms of nothing but reads that carry the same write, which is why those worlds are audited here.)
    """
    for seed in range(WORLDS):
        world = replace(world_of(Random(seed)), audited=True)
        before = judge(history_of_world(world))
        for place, operation in enumerate(world.operations):
            if operation.kind is Kind.READ:
                rest = world.operations[:place] + world.operations[place + 1 :]
                after = judge(history_of_world(replace(world, operations=rest)))
                for name in CONVICTIONS:
                    assert getattr(after, name).found <= getattr(before, name).found, f"seed {seed}: {name}"


def test_a_wider_interval_never_convicts() -> None:
    """An operation that took longer is concurrent with more: nothing that was innocent becomes guilty.

    (A longer write can make an honest read of a phantom, which then bears witness against others; the whole was already
    convicted. Counts are compared where the phantoms stay the same.)
    """
    for seed in range(WORLDS):
        world = world_of(Random(seed))
        before = judge(history_of_world(world))
        for place, operation in enumerate(world.operations):
            wider = replace(operation, invoked=max(0, operation.invoked - 2), returned=operation.returned + 2)
            changed = (*world.operations[:place], wider, *world.operations[place + 1 :])
            after = judge(history_of_world(replace(world, operations=changed)))
            if after.linearizable.found:
                assert before.linearizable.found, f"seed {seed}: {operation}"
            assert after.phantom.found <= before.phantom.found
            if after.phantom.found == before.phantom.found:
                for name in CONVICTIONS:
                    assert getattr(after, name).found <= getattr(before, name).found, f"seed {seed}: {name} {operation}"
