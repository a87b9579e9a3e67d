"""Parameters: what a fault was given, beside what it takes. A wrong name or type is refused before anything is touched.

takes {"keys": "", "probability": 1.0, "seed": -1}     given {"probability": 1}     ─▶ all three, complete
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from cluster.errors import WrongInputError
from cluster.fault.port import Fact

SEED = "seed"
UNSEEDED = -1
"""A seed that is to be drawn from the run's own."""


def complete(fault: str, takes: Mapping[str, Fact], given: Mapping[str, Fact], chance: Random) -> dict[str, Fact]:
    """Every parameter of a fault, as given or at its default; a seed that nobody gave is drawn from `chance`.

    A whole number is taken for a fraction. Raises WrongInputError that lists what there is.
    """
    wrong = sorted(set(given) - set(takes))
    if wrong:
        raise WrongInputError(f"{fault} has no parameter {', '.join(wrong)}; it has {', '.join(takes) or 'none'}")
    whole: dict[str, Fact] = {}
    for name, default in takes.items():
        value = given.get(name, default)
        if isinstance(default, float) and type(value) is int:
            value = float(value)
        if type(value) is not type(default):
            raise WrongInputError(f"{fault}: {name} is {value!r}; something like {default!r} is expected")
        whole[name] = value
    if whole.get(SEED) == UNSEEDED:
        whole[SEED] = chance.randrange(1 << 16)
    return whole
