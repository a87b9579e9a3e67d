"""Rounds: contenders measured side by side in one run, so that what counts, their ratios, survives a busy machine.

Every contender runs once a round, in an order drawn anew for each; the median of its rounds is its figure. Absolute
times of two runs can't be compared on a shared machine; ratios within a run can, and `spread` says how far they varied.
What always holds: nothing here passes or fails; a benchmark is read, not asserted.
"""

from __future__ import annotations

import os
import platform
import random
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version

Measure = Callable[[], float]
"""Does its work once and returns what one operation cost."""


@dataclass(frozen=True)
class Figure:
    """What one contender cost in each round, in the measure's own unit."""

    rounds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)


def measured(contenders: Mapping[str, Measure], rounds: int) -> dict[str, Figure]:
    """Run all contenders in every round; return their figures."""
    taken: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(rounds):
        for name in random.sample(list(contenders), len(contenders)):
            taken[name].append(contenders[name]())
    return {name: Figure(tuple(each)) for name, each in taken.items()}


def ratio(one: Figure, other: Figure) -> float:
    """Return how many times `other` goes into `one`: the median of the rounds' own ratios, as both ran side by side."""
    return statistics.median(a / b for a, b in zip(one.rounds, other.rounds, strict=True))


def spread(one: Figure, other: Figure) -> tuple[float, float]:
    """Return the quartiles of the rounds' ratios."""
    ratios = sorted(a / b for a, b in zip(one.rounds, other.rounds, strict=True))
    quarter = len(ratios) // 4
    return ratios[quarter], ratios[-1 - quarter]


def show(figures: Mapping[str, Figure], *, unit: str, beside: str, digits: int = 0) -> None:
    """Print a line for each contender: its median, and its ratio to the contender `beside`, with the quartiles."""
    base = figures[beside]
    for name, figure in figures.items():
        low, high = spread(figure, base)
        print(
            f"{name:44}{figure.median:12,.{digits}f} {unit}{ratio(figure, base):10.2f} × {beside}"
            f"   ({low:.2f} to {high:.2f})",
            flush=True,
        )


def say_where(*packages: str) -> None:
    """Print what the figures depend on: machine, Python, and the packages' releases."""
    cores = os.cpu_count()
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    releases = ", ".join(f"{package} {version(package)}" for package in packages)
    print(f"{platform.machine()}, {cores} cores, load {load:.1f}, Python {platform.python_version()}; {releases}")
