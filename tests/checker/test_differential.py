"""The judges against the literal rules, on thousands of random worlds; and what those worlds are made of.

A disagreement prints the seed, the world and both answers. Same world again: `world_of(Random(SEED))`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from cluster.checker.judgement import judge
from cluster.checker.verdict import Decision
from cluster.history.operation import Kind, Outcome
from tests.checker import oracle
from tests.checker.comparison import observed, required
from tests.checker.worlds import history_of_world, world_of

WORLDS = 20_000
BATCHES = 4


@pytest.mark.parametrize("batch", range(BATCHES))
def test_judges_agree_with_the_literal_rules(batch: int) -> None:
    """On every random world each judge says what a search of all orders, or a look at every pair, says."""
    for seed in range(batch * WORLDS // BATCHES, (batch + 1) * WORLDS // BATCHES):
        world = world_of(Random(seed))
        assert observed(world) == required(world), f"seed {seed}: {world}"


def test_the_random_worlds_contain_what_convicts() -> None:
    """The generator makes each kind of trouble often, so that agreement on it means something."""
    made: Counter[str] = Counter()
    for seed in range(2_000):
        world = world_of(Random(seed))
        stamps = [stamp for each in world.operations for stamp in (each.invoked, each.returned)]
        lin = oracle.linearizable(world)
        made["linearizable" if lin else "not linearizable"] += 1
        made["equal stamps"] += len(set(stamps)) < len(stamps)
        made["zero length"] += any(each.invoked == each.returned for each in world.operations)
        made["never written"] += any(each.operation_id == "ghost" for each in world.operations)
        made["aborted read"] += _reads_of(world, Outcome.FAIL)
        made["info seen"] += _reads_of(world, Outcome.INFO)
        made["info unseen"] += any(each.outcome is Outcome.INFO for each in world.operations) and not world.unknown
        made["info landed by audit"] += world.audited and bool(world.landed)
        made["info seen, but not in the audit"] += world.audited and _reads_of(world, Outcome.INFO, world.landed)
        versions = [each.version for each in world.acknowledged]
        made["a version twice"] += len(set(versions)) < len(versions)
        made["inversion without a stale read"] += not lin and not oracle.stale(world) and not oracle.phantoms(world)
        made["stale"] += bool(oracle.stale(world))
        made["went back"] += bool(oracle.went_back(world, kind=Kind.READ))
        made["own write unseen"] += bool(oracle.went_back(world, kind=Kind.WRITE))
        made["late by more than 1"] += (oracle.delta(world) or 0) > 1
    assert min(made.values()) >= 20, made


def _reads_of(world: oracle.World, outcome: Outcome, but: frozenset[str] = frozenset()) -> bool:
    theirs = {each.operation_id for each in world.operations if each.outcome is outcome} - but - {""}
    return any(read.operation_id in theirs for read in world.reads)


def test_an_answer_without_an_operation_id_never_convicts_wrongly() -> None:
    """Where answers don't carry their write's id, no world that some order explains is called unlinearizable."""
    explained = 0
    for seed in range(4_000):
        world = world_of(Random(seed))
        if not oracle.linearizable(world):
            continue
        explained += 1
        silent = tuple(replace(each, operation_id="") if each.kind is Kind.READ else each for each in world.operations)
        judgement = judge(history_of_world(replace(world, operations=silent)))
        assert judgement.linearizable.decision is not Decision.INVALID, f"seed {seed}: {world}"
    assert explained > 1_000
