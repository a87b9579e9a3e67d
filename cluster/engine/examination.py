"""One examination: a scenario on a subject that is up, from the first request to the last line of its history.

    baseline ─ sign in ─┬─ traffic ─────────────────────────────────┬─ answers ─ settle ─ final reads ─ audit
                        │   warm      fault(s)      heal · health   │
                        └─────────── duration_s, or longer if the heal takes longer ──┘

`stop` ends the traffic early: what is in force is healed, and the rest happens as always. Seconds are counted
from the traffic's first instant.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from cluster.engine.nemesis import NS, Nemesis
from cluster.engine.settling import SETTLE_S
from cluster.engine.subject import Harm, Subject
from cluster.errors import ClusterError
from cluster.history.line import Baseline as BaselineLine
from cluster.history.operation import Phase
from cluster.history.recorder import Recorder
from cluster.record.run import FaultRecord, PhaseRecord
from cluster.scenario.scenario import Scenario
from cluster.workload.arrival import arrivals
from cluster.workload.driver import Driver
from cluster.workload.profile import Profile
from cluster.workload.tally import Tally

WATCH_EVERY_S = 0.2
UNDER_LOAD_S, HEALTH_S = 10.0, 30.0
"""How long a healed cluster may take until every worker says that it is ready: under load, and then without."""
HEALTH_EVERY_S = 0.1
AFTER_S = 1.0
FOR_EVER_S = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """What is seen of a run while it goes on."""

    seconds: float
    phase: str
    in_force: tuple[str, ...]
    tally: Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Conducted:
    """What happened, as far as it is not in the history. `unsettled`: what did not agree in time; None: everything."""

    origin_ns: int
    phases: tuple[PhaseRecord, ...]
    faults: tuple[FaultRecord, ...]
    unsent: int
    interrupted: bool
    unsettled: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listeners:
    """Who is told: `tell` what happens (seconds, a line), `watch` the counts, `changed` that a fault's record has."""

    tell: Callable[[float, str], None]
    watch: Callable[[Progress], None]
    changed: Callable[[tuple[FaultRecord, ...]], None]


class Examination:
    """One run on one subject. `profile`: the traffic; `harms`: one for each step of the scenario."""

    def __init__(
        self,
        subject: Subject,
        scenario: Scenario,
        profile: Profile,
        harms: tuple[Harm, ...],
        recorder: Recorder,
        listeners: Listeners,
        *,
        run_tag: str,
        settle_s: float = SETTLE_S,
    ) -> None:
        """Nothing happens before `perform`. `run_tag`: 8 hexadecimal digits, different in every run on a cluster."""
        self._subject = subject
        self._scenario = scenario
        self._profile = profile
        self._recorder = recorder
        self._listeners = listeners
        self._run_tag = run_tag
        self._settle_s = settle_s
        self._origin_ns = time.monotonic_ns()
        self._phases: list[PhaseRecord] = []
        self._phase, self._phase_began_s, self._note = Phase.WARM, 0.0, ""
        self._driver: Driver | None = None
        self._nemesis = Nemesis(scenario, harms, recorder, chance=self.chance, tell=self._tell, changed=self._changed)

    def chance(self, purpose: str) -> Random:
        """The chance for one purpose, of its own, so that none disturbs another's."""
        return Random(f"{self._scenario.seed} {purpose}")  # noqa: S311 - chance, not a secret

    async def perform(self, stop: asyncio.Event) -> Conducted:
        """Run it, and close the subject. Raises ClusterError where that can't be examined at all."""
        subject = self._subject
        try:
            profile = self._with_what_is_there(await asyncio.to_thread(subject.baseline, self._profile.products))
            prices = self.chance("prices")
            async with Driver(subject.shop, profile, self._recorder, chance=prices, run_tag=self._run_tag) as driver:
                self._driver = driver
                await driver.greet()
                await self._traffic(driver, profile, subject.workers, stop)
                rest = subject.rest(driver, self._tell)
                self._enter(Phase.SETTLE)
                unsettled = await rest.settle(self._settle_s)
                self._enter(Phase.FINAL)
                await rest.read_finally(self._recorder)
                self._leave()
            return Conducted(
                origin_ns=self._origin_ns,
                phases=tuple(self._phases),
                faults=self._nemesis.records,
                unsent=driver.tally.unsent,
                interrupted=stop.is_set(),
                unsettled=unsettled,
            )
        finally:
            subject.close()
            await self._nemesis.heal_all()

    def _with_what_is_there(self, versions: Mapping[str, int]) -> Profile:
        """The traffic on the products that exist, whose versions go on file."""
        for key, version in versions.items():
            self._recorder.write(BaselineLine(self._recorder.index, time.monotonic_ns(), key, version))
        products = [each for each in self._profile.products if self._subject.shop.key(each) in versions]
        if not products:
            raise ClusterError("none of the products that the traffic asks for is there")
        return replace(self._profile, products=tuple(products))

    async def _traffic(self, driver: Driver, profile: Profile, workers: Sequence[str], stop: asyncio.Event) -> None:
        """Drive through warm, fault and heal; ends when all is healed, well, and the duration is over."""
        self._origin_ns = time.monotonic_ns()
        over = asyncio.Event()
        coming = arrivals(profile, workers, self.chance("arrivals"))
        driving = asyncio.create_task(driver.drive(coming, for_s=FOR_EVER_S, stop=over))
        watching = asyncio.create_task(self._watching(driver))
        try:
            await self._nemesis.rage(stop, origin_ns=self._origin_ns)
            lacking = None
            if self._scenario.faults:
                self._enter(Phase.HEAL)
                lacking = await self._health(UNDER_LOAD_S)
            if lacking is None:
                await _wait(stop, max(self._scenario.duration_s - self._seconds(), self._after_s()))
            over.set()
            await driving
            await driver.drain()
            if lacking is not None:
                await self._recover(lacking)
        finally:
            driving.cancel()
            watching.cancel()
            await self._nemesis.heal_all()

    def _after_s(self) -> float:
        """How long the traffic goes on after the heal, at least."""
        return min(AFTER_S, self._scenario.duration_s / 4) if self._scenario.faults else 0.0

    async def _recover(self, lacking: str) -> None:
        """Wait for health without traffic: an open model goes on asking whoever is drowned already."""
        self._tell(f"not well within {UNDER_LOAD_S:g} s of the heal ({lacking}); the traffic ends")
        await self._nemesis.heal_all()
        self._note = f"not well within {UNDER_LOAD_S:g} s under load: {lacking}"
        still = await self._health(HEALTH_S)
        if still is not None:
            self._note = f"not well within {HEALTH_S:g} s, even without load: {still}"

    async def _health(self, within_s: float) -> str | None:
        """Wait until every server runs and every worker is ready; else what is not, in time."""
        deadline = time.monotonic() + within_s
        while True:
            lacking = await asyncio.to_thread(self._subject.lacks)
            if lacking is None or time.monotonic() > deadline:
                return lacking
            await asyncio.sleep(HEALTH_EVERY_S)

    async def _watching(self, driver: Driver) -> None:
        while True:
            progress = Progress(
                seconds=self._seconds(), phase=self._phase.value, in_force=self._nemesis.in_force, tally=driver.tally
            )
            self._listeners.watch(progress)
            await asyncio.sleep(WATCH_EVERY_S)

    def _changed(self) -> None:
        if self._phase is Phase.WARM:
            self._enter(Phase.FAULT)
        self._listeners.changed(self._nemesis.records)

    def _enter(self, phase: Phase) -> None:
        """End the phase that is, and begin another."""
        self._leave()
        self._phase, self._phase_began_s, self._note = phase, self._seconds(), ""
        if self._driver is not None:
            self._driver.phase = phase

    def _leave(self) -> None:
        record = PhaseRecord(
            phase=self._phase.value, began_s=self._phase_began_s, ended_s=self._seconds(), note=self._note
        )
        self._phases.append(record)

    def _seconds(self) -> float:
        return (time.monotonic_ns() - self._origin_ns) / NS

    def _tell(self, line: str) -> None:
        self._listeners.tell(self._seconds(), line)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    if seconds > 0:
        try:
            await asyncio.wait_for(stop.wait(), seconds)
        except TimeoutError:
            return
