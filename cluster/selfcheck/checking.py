"""Checking: every planted bug and every control, each run on a cluster of its own, to a scorecard.

    bug      cluster with the bug (sealed) ─▶ the run that shows it ─▶ convicted? as what?
    control  one clean cluster a strategy  ─▶ fault after fault     ─▶ acquitted?

A run that could not be decided is run once more, with another seed: a machine that is too busy is no examiner's fault.
Folders have numbers and no names: nothing that a judge sees says what was planted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from cluster.engine.cell import Observers
from cluster.engine.matrix import MAIN_FAULTS, Screen
from cluster.engine.own_cluster import OwnCluster
from cluster.errors import ClusterError
from cluster.record.run import RunRecord
from cluster.record.store import RunFolder
from cluster.runs import CLUSTER
from cluster.scenario.scenario import FaultStep, Scenario
from cluster.selfcheck.planted import CONTROLS, PLANTED, PlantedBug
from cluster.selfcheck.scorecard import Finding, Line, Scorecard, line_of_bug, line_of_control

FILE = "selfcheck.json"
QUICK_BUGS = ("no-publish", "wrong-channel", "own-echo", "user-missing", "lost-write-behind")
QUICK_CONTROLS = {"sequenced": ("", "drop-messages", "crash-after-commit"), "no-cache": ("",)}
TRIES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPlan:
    """What to check: bugs by name; per control the faults ("": none); how long each run's traffic lasts."""

    bugs: tuple[str, ...]
    controls: dict[str, tuple[str, ...]]
    seed: int = 1
    duration_s: float = 12.0


def quick_plan(seed: int) -> CheckPlan:
    """A few minutes: for every change."""
    return CheckPlan(bugs=QUICK_BUGS, controls=QUICK_CONTROLS, seed=seed, duration_s=10.0)


def whole_plan(seed: int) -> CheckPlan:
    """Every bug, and every control under the main faults."""
    return CheckPlan(bugs=tuple(PLANTED), controls=dict.fromkeys(CONTROLS, ("", *MAIN_FAULTS)), seed=seed)


@dataclass(slots=True)
class SelfCheck:
    """One self-check in its folder."""

    plan: CheckPlan
    folder: Path
    screen: Screen
    versions: dict[str, str]
    argv: tuple[str, ...] = ()
    lines: list[Line] = field(default_factory=list)
    runs: int = 0

    def perform(self) -> Scorecard:
        """Run everything; `selfcheck.json` is written after each run."""
        for name in self.plan.bugs:
            self._note(self._bug(PLANTED[name]))
        for strategy, faults in self.plan.controls.items():
            for line in self._control(strategy, faults):
                self._note(line)
        return self._scorecard()

    def _bug(self, bug: PlantedBug) -> Line:
        if bug.needs:
            return Line(
                name=bug.name, planted=True, finding=Finding.SKIPPED, wanted=bug.property, said=f"needs {bug.needs}"
            )

        def attempt(seed: int) -> Line:
            place = self._place()
            own = OwnCluster(place / CLUSTER, lambda _: None, planted=bug.name)
            scenario = bug.scenario(seed=seed, duration_s=self.plan.duration_s)
            try:
                return line_of_bug(bug, self._examine(own, scenario, place, f"planted bug {self.runs}"), str(place))
            except ClusterError as problem:
                return self._undecided(bug.name, planted=True, wanted=bug.property, problem=problem, place=place)
            finally:
                own.close()

        return self._decided(attempt)

    def _control(self, strategy: str, faults: Iterable[str]) -> Iterable[Line]:
        own = OwnCluster(self._place() / CLUSTER, lambda _: None)
        try:
            for fault in faults:
                name = f"{strategy} × {fault or 'no fault'}"

                def attempt(seed: int, fault: str = fault, name: str = name) -> Line:
                    place = self._place()
                    steps = (FaultStep(fault=fault),) if fault else ()
                    scenario = Scenario(strategy=strategy, faults=steps, seed=seed, duration_s=self.plan.duration_s)
                    try:
                        return line_of_control(name, self._examine(own, scenario, place, name), str(place))
                    except ClusterError as problem:
                        return self._undecided(name, planted=False, wanted="valid", problem=problem, place=place)

                yield self._decided(attempt)
        finally:
            own.close()

    def _decided(self, attempt: Callable[[int], Line]) -> Line:
        """The first attempt that decides something, else the last."""
        for number in range(TRIES):
            line = attempt(self.plan.seed + 1000 * number)
            if line.finding is not Finding.UNKNOWN:
                break
        return line

    def _examine(self, own: OwnCluster, scenario: Scenario, place: Path, title: str) -> RunRecord:
        self.screen.begin(title, duration_s=scenario.duration_s)
        observers = Observers(tell=self.screen.tell, watch=self.screen.watch)
        return own.examine(scenario, RunFolder(place), argv=self.argv, versions=self.versions, observers=observers)

    def _undecided(self, name: str, *, planted: bool, wanted: str, problem: ClusterError, place: Path) -> Line:
        return Line(
            name=name, planted=planted, finding=Finding.UNKNOWN, wanted=wanted, said=str(problem), run=str(place)
        )

    def _place(self) -> Path:
        self.runs += 1
        place = self.folder / f"{self.runs:03d}"
        place.mkdir(mode=0o700)
        return place

    def _note(self, line: Line) -> None:
        self.lines.append(line)
        self.screen.say(f"{line.finding}: {line.name}; {line.said}")
        (self.folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(self._scorecard()), indent=2))

    def _scorecard(self) -> Scorecard:
        return Scorecard(seed=self.plan.seed, lines=tuple(self.lines))
