"""The promises in random schedules: kept by the core as it is, broken by every core that lacks a rule.

A few hundred schedules run here; `python -m tests.simulator 100000` runs as many as there is time for. A seed that
breaks a promise is printed, and `python -m tests.simulator 1 SEED` replays it.
"""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from tocsin.settings import Strategy, WritePath

from tests.simulator.mutants import MUTANTS, Mutant
from tests.simulator.record import BrokenPromise
from tests.simulator.schedule import Schedule
from tests.simulator.setting import OVERLAPS, Setting

SCHEDULES = 500
CONVICTED_WITHIN = 3000


def test_every_promise_is_kept_and_every_risky_overlap_happened() -> None:
    """Both strategies, both write paths; a run in which something risky never happened would prove nothing of it."""
    seen: Counter[str] = Counter()
    for strategy, write_path in itertools.product(
        (Strategy.SEQUENCED, Strategy.STRICT), (WritePath.CACHE_ASIDE, WritePath.WRITE_THROUGH)
    ):
        for seed in range(SCHEDULES):
            try:
                Schedule(seed, Setting(strategy, write_path), seen).run()
            except BrokenPromise as broken:
                again = f"1 {seed} {strategy.value} {write_path.value}"
                pytest.fail(f"{broken}; same schedule: python -m tests.simulator {again}")
    assert not [overlap for overlap in OVERLAPS if not seen[overlap]]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_core_that_lacks_a_rule_is_convicted(mutant: Mutant) -> None:
    """Some schedule breaks one of the promises that the rule keeps; the core as it is keeps them in the same one."""
    for seed in range(CONVICTED_WITHIN):
        verdict = broken_promise(seed, mutant.setting())
        if verdict:
            assert verdict.startswith(mutant.promises)
            assert not broken_promise(seed, mutant.control())
            return
    pytest.fail(f"not convicted within {CONVICTED_WITHIN} schedules")


def broken_promise(seed: int, setting: Setting) -> str:
    """Run one schedule; return the promise that it broke, or ''."""
    try:
        Schedule(seed, setting, Counter()).run()
    except BrokenPromise as broken:
        return str(broken)
    return ""


def test_the_same_seed_is_the_same_schedule() -> None:
    """What a seed did once it does again: that is what makes it a witness."""
    runs = []
    for _ in range(2):
        seen: Counter[str] = Counter()
        schedule = Schedule(7, Setting(), seen)
        schedule.run()
        runs.append((schedule.scheduler.steps, schedule.version, seen))
    assert runs[0] == runs[1]
