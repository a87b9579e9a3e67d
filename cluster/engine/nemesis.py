"""The nemesis: plans, starts, proves and heals the faults of one run, and keeps the record of each.

    plan ─ on file ─ start ─ on file ─ … in force … ─ evidence ─ heal ─ on file
                        │ error: on file, and healed all the same

What was begun is healed, however the run ends: `heal_all` is called in the engine's `finally`, and a heal may be
repeated. A launcher's verbs block, so each call runs in a thread; faults of one run may overlap.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from random import Random

import msgspec

from cluster.engine.subject import Harm
from cluster.errors import ClusterError
from cluster.fault.port import Evidence, Fact, Plan
from cluster.history.line import Fault as FaultLine
from cluster.history.recorder import Recorder
from cluster.record.run import FaultRecord
from cluster.scenario.scenario import FaultStep, Scenario

NS = 1_000_000_000
NOT_HEALED = "it could not be healed"
AND = "; "
Chance = Callable[[str], Random]


class Nemesis:
    """The faults of one scenario. `origin_ns`: when the traffic began; `tell` gets what happens."""

    def __init__(
        self,
        scenario: Scenario,
        harms: tuple[Harm, ...],
        recorder: Recorder,
        *,
        chance: Chance,
        tell: Callable[[str], None],
        changed: Callable[[], None],
    ) -> None:
        """`harms`: one for each step of the scenario; `changed` is called whenever a record has changed."""
        self._scenario = scenario
        self._harms = harms
        self._recorder = recorder
        self._chance = chance
        self._tell = tell
        self._changed = changed
        self._records: dict[int, FaultRecord] = {}
        self._origin_ns = time.monotonic_ns()

    @property
    def records(self) -> tuple[FaultRecord, ...]:
        """What was done so far, in the scenario's order."""
        return tuple(self._records[number] for number in sorted(self._records))

    @property
    def in_force(self) -> tuple[str, ...]:
        """The faults that are started and not healed, by name."""
        return tuple(
            record.plan.fault for record in self.records if record.started_s is not None and record.healed_s is None
        )

    async def rage(self, stop: asyncio.Event, *, origin_ns: int) -> None:
        """Inflict every fault at its time and heal it at its end; with `stop`, nothing new begins and all is healed."""
        self._origin_ns = origin_ns
        async with asyncio.TaskGroup() as group:
            for number, step in enumerate(self._scenario.faults):
                group.create_task(self._inflict(number, step, stop))

    async def heal_all(self) -> None:
        """Heal whatever was begun and is not healed. A second call does nothing."""
        for number, record in sorted(self._records.items()):
            if record.healed_s is None:
                await self._heal(number)

    async def _inflict(self, number: int, step: FaultStep, stop: asyncio.Event) -> None:
        at_s, for_s = self._scenario.times(step)
        if await self._until(at_s, stop):
            return
        harm = self._harms[number]
        try:
            plan = await asyncio.to_thread(harm.plan, step.target, step.parameters, self._chance(f"fault {number}"))
        except ClusterError as problem:
            self._failed(number, Plan(fault=step.fault, spec=step.target), problem)
            return
        self._put(number, FaultRecord(plan=plan, planned_s=self._now_s()))
        self._note(number, "plan", plan.parameters)
        try:
            await asyncio.to_thread(harm.start, plan)
        except ClusterError as problem:
            self._failed(number, plan, problem)
            await self._heal(number)
            return
        self._put(number, msgspec.structs.replace(self._records[number], started_s=self._now_s()))
        self._note(number, "start", plan.before)
        self._tell(f"{plan.fault} {', '.join(plan.targets)}".strip())
        await self._until(self._now_s() + for_s, stop)
        await self._prove(number)
        await self._heal(number)

    async def _prove(self, number: int) -> None:
        record = self._records[number]
        try:
            found = await asyncio.to_thread(self._harms[number].evidence, record.plan)
        except ClusterError as problem:
            found = Evidence(took=False, text=f"nobody could see whether it took effect: {problem}")
        self._put(number, msgspec.structs.replace(record, evidence=found))
        self._note(number, "evidence", {"took": found.took, **found.details})

    async def _heal(self, number: int) -> None:
        record = self._records[number]
        try:
            await asyncio.to_thread(self._harms[number].heal, record.plan)
        except ClusterError as problem:
            error = f"{_injection(record)}{NOT_HEALED}: {problem}"
            self._put(number, msgspec.structs.replace(record, error=error))
            self._tell(f"{record.plan.fault} could not be healed: {problem}")
            return
        error = _injection(record).removesuffix(AND)  # healed it is now
        self._put(number, msgspec.structs.replace(record, healed_s=self._now_s(), error=error))
        self._note(number, "stop", {})
        self._tell(f"{record.plan.fault} is healed")

    def _failed(self, number: int, plan: Plan, problem: ClusterError) -> None:
        record = self._records.get(number, FaultRecord(plan=plan, planned_s=self._now_s()))
        self._put(number, msgspec.structs.replace(record, error=f"it could not be injected: {problem}"))
        self._tell(f"{plan.fault} could not be injected: {problem}")

    def _put(self, number: int, record: FaultRecord) -> None:
        self._records[number] = record
        self._changed()

    def _note(self, number: int, action: str, facts: dict[str, Fact]) -> None:
        plan = self._records[number].plan
        line = FaultLine(
            self._recorder.index, time.monotonic_ns(), plan.fault, action, "+".join(plan.targets), dict(facts)
        )
        self._recorder.write(line)

    def _now_s(self) -> float:
        return (time.monotonic_ns() - self._origin_ns) / NS

    async def _until(self, at_s: float, stop: asyncio.Event) -> bool:
        """Wait until a second of the run, or until `stop`; whether it was that."""
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), max(0.0, at_s - self._now_s()))
        return stop.is_set()


def _injection(record: FaultRecord) -> str:
    """What went wrong before any heal, with what joins another trouble to it; "" if nothing did."""
    trouble = record.error.partition(NOT_HEALED)[0].removesuffix(AND)
    return trouble and f"{trouble}{AND}"
