"""Reads a scenario file. An unknown key is an error: a misspelt threshold that is ignored would pass everything."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import msgspec

from cluster.errors import WrongInputError
from cluster.fault.port import Fact
from cluster.scenario.scenario import FaultStep, Scenario


def load_scenario(path: Path) -> Scenario:
    """The scenario in the file `path`. Raises WrongInputError that names the file, the key and the right keys."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise WrongInputError(f"{path} can't be read ({problem})") from None
    except tomllib.TOMLDecodeError as problem:
        raise WrongInputError(f"{path} is no TOML: {problem}") from None
    return parse_scenario(document, source=str(path))


def parse_scenario(document: dict[str, Any], *, source: str) -> Scenario:
    """A document as a scenario. `source` is named in errors."""
    try:
        _known(document, Scenario, "the scenario")
        for number, step in enumerate(_steps(document), 1):
            _known(step, FaultStep, f"fault {number}")
        return msgspec.convert(document, Scenario)
    except msgspec.ValidationError as problem:
        raise WrongInputError(f"{source}: {problem}") from None
    except WrongInputError as problem:
        raise WrongInputError(f"{source}: {problem}") from None


def _steps(document: dict[str, Any]) -> list[dict[str, Any]]:
    steps = document.get("faults", [])
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def _known(document: dict[str, Any], kind: type[msgspec.Struct], where: str) -> None:
    wrong = sorted(set(document) - set(kind.__struct_fields__))
    if wrong:
        raise WrongInputError(
            f"{where} has no key {', '.join(map(repr, wrong))}; its keys are {', '.join(kind.__struct_fields__)}"
        )


def parse_parameters(pairs: tuple[str, ...]) -> dict[str, Fact]:
    """`NAME=VALUE` options as parameters, values in TOML's notation, else text. Raises WrongInputError without `=`."""
    parameters: dict[str, Fact] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise WrongInputError(f"parameter {pair!r}: expected NAME=VALUE, like mode=refuse or delay_ms=50")
        parameters[name] = _value(text)
    return parameters


def _value(text: str) -> Fact:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, int | float | str | bool) else text
