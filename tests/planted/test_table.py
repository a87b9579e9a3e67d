"""The examiner's table of planted bugs names exactly those that the services have, and runs that can be."""

from __future__ import annotations

import pytest
from planted.bugs.table import BUGS

from cluster.fault.catalogue import FAULTS
from cluster.selfcheck.planted import CONTROLS, PLANTED
from cluster.topology import STRATEGIES
from cluster.workload.workloads import WORKLOADS


def test_both_halves_know_the_same_bugs() -> None:
    """A bug that is not in the table is never convicted; a row without a bug would convict nothing."""
    assert set(PLANTED) == set(BUGS)


@pytest.mark.parametrize("name", PLANTED)
def test_each_bug_has_a_run_that_does_not_tell_its_name(name: str) -> None:
    """Its faults, workload and strategy exist; what a judge sees of the scenario does not name the bug."""
    bug = PLANTED[name]
    scenario = bug.scenario(seed=1)
    assert {step.fault for step in scenario.faults} <= set(FAULTS)
    assert scenario.workload in WORKLOADS
    assert name not in f"{scenario.title} {scenario.settings}"


def test_the_controls_are_strategies() -> None:
    """Each can be chosen."""
    assert set(CONTROLS) <= set(STRATEGIES)
