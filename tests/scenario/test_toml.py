"""Scenario files: what they come to, and how a wrong one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.errors import WrongInputError
from cluster.scenario.scenario import FaultStep, Scenario
from cluster.scenario.toml import load_scenario, parse_parameters

WHOLE = """
name = "a node cut off"
strategy = "sequenced"
workload = "register"
duration_s = 8
seed = 7

[[faults]]
fault = "partition"
target = "minority"
at_s = 2
for_s = 4.5
parameters = { mode = "blackhole", after = 3 }
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "scenario.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_is_a_frozen_value(tmp_path: Path) -> None:
    """Every key is where it belongs; what is not said has its default."""
    assert load_scenario(written(tmp_path, WHOLE)) == Scenario(
        name="a node cut off",
        strategy="sequenced",
        duration_s=8,
        seed=7,
        faults=(
            FaultStep(
                fault="partition",
                target="minority",
                at_s=2,
                for_s=4.5,
                parameters={"mode": "blackhole", "after": 3},
            ),
        ),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("strateggy = 'ttl'", "the scenario has no key 'strateggy'; its keys are name, strategy, write_path, workload"),
        ("[[faults]]\nfault = 'kill'\nwhen_s = 1", "fault 1 has no key 'when_s'; its keys are fault, target, at_s"),
        ("duration_s = 'long'", "Expected `float`, got `str` - at `$.duration_s`"),
        ("duration_s = 0", "duration_s 0 is out of range"),
        ("duration_s = ", "is no TOML"),
        ("strategy = 'magic'", "unknown strategy 'magic'; there are no-cache"),
        ("nodes = 0", "nodes 0 is out of range"),
        ("seed = -1", "seed -1 is below 0"),
        ("[[faults]]\ntarget = 'one'", "missing required field `fault`"),
        ("[[faults]]\nfault = 'kill'\nat_s = 11\nfor_s = 2", "from 11 s for 2 s does not lie within the 12 s"),
        ("faults = 3", "Expected `array`, got `int` - at `$.faults`"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    """The error names the file, what is wrong, and what would be right."""
    path = written(tmp_path, text)
    with pytest.raises(WrongInputError) as refused:
        load_scenario(path)
    assert str(refused.value).startswith(f"{path}")
    assert said in str(refused.value)


def test_a_file_that_is_not_there_is_a_wrong_input(tmp_path: Path) -> None:
    """Exit code 254, one sentence."""
    with pytest.raises(WrongInputError, match="can't be read"):
        load_scenario(tmp_path / "nowhere.toml")


def test_a_fault_lasts_half_of_the_run_unless_it_says_otherwise() -> None:
    """A quarter warm, half in the fault, a quarter after the heal; a late fault lasts until the end at most."""
    scenario = Scenario(duration_s=8)
    assert scenario.times(FaultStep(fault="kill")) == (2, 4)
    assert scenario.times(FaultStep(fault="kill", at_s=6)) == (6, 2)
    assert scenario.times(FaultStep(fault="kill", at_s=1, for_s=2)) == (1, 2)


def test_parameters_on_the_command_line_are_typed_as_in_the_file() -> None:
    """Numbers and booleans are what TOML says; anything else is text."""
    assert parse_parameters(("mode=refuse", "delay_ms=50", "share=0.5", "hard=true", "key=product:7")) == {
        "mode": "refuse",
        "delay_ms": 50,
        "share": 0.5,
        "hard": True,
        "key": "product:7",
    }
    with pytest.raises(WrongInputError, match="expected NAME=VALUE"):
        parse_parameters(("refuse",))
