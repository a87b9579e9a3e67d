"""The demo itself: traffic, a kill half way, the restart, the settling, the final reads; all of it on file.

    baseline ─ sign in ─┬─ traffic ───────────────────────┬─ answers ─ restart ─ settle ─ final reads ─ audit
                        │   warm        kill    fault     │            heal      settle   final
                        └─────────── duration_s ──────────┘

Ctrl-C ends the traffic, and everything after it happens as always. Whatever was killed is started again, in `finally`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random

from cluster.demo.stage import Stage
from cluster.errors import ClusterError
from cluster.history.line import Audit, Audited, Fault
from cluster.history.line import Baseline as BaselineLine
from cluster.history.operation import Phase
from cluster.history.recorder import Recorder
from cluster.launcher import Deed, insist
from cluster.status import Server, State, Status
from cluster.target import Target, Verb, draw, parse_target
from cluster.workload.arrival import arrivals
from cluster.workload.audit import AuditRow, AuditTable, Baseline
from cluster.workload.catalogue import Catalogue
from cluster.workload.driver import Driver
from cluster.workload.profile import Profile
from cluster.workload.request import EDGE, Origins
from cluster.workload.tally import Tally

SETTLE_S = 10.0
"""How long the cluster may take to agree with its database before the final reads are taken as they are."""
SETTLE_EVERY_S = 0.25
WATCH_EVERY_S = 0.2
FINAL_READINGS_MAX = 3

Tell = Callable[[float, str], None]
Watch = Callable[[float, Tally], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to play: traffic for `duration_s` seconds, with chance from `seed`; `run_tag` begins the operation ids."""

    profile: Profile
    duration_s: float
    seed: int
    run_tag: str

    def chance(self, purpose: str) -> Random:
        """The chance for one purpose, of its own, so that none disturbs another's."""
        return Random(f"{self.seed} {purpose}")  # noqa: S311 - chance, not a secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What happened, as far as it is not in the history.

    `killed` is what was killed, at `killed_at_s`; None if the traffic ended before. `unsent`: requests that were due
    while too many waited. `unsettled` says what did not agree in time; None if everything did, in `settled_s`.
    """

    killed: Target | None
    killed_at_s: float
    traffic_s: float
    unsent: int
    unsettled: str | None
    settled_s: float


class Play:
    """One demo on one stage. `tell` gets what happens and when, `watch` the counts several times a second.

    Seconds are counted from the beginning of the traffic.
    """

    def __init__(self, stage: Stage, plan: Plan, recorder: Recorder, *, tell: Tell, watch: Watch) -> None:
        """Nothing happens before `perform`."""
        self._stage = stage
        self._plan = plan
        self._recorder = recorder
        self._tell = tell
        self._watch = watch
        self._killed: Target | None = None
        self._killed_at_s = 0.0
        self._began = 0.0
        self._mended = False

    async def perform(self, stop: asyncio.Event) -> Played:
        """Play it. `stop` ends the traffic early. Raises ClusterError where the cluster does not play along."""
        status = await asyncio.to_thread(self._stage.status)
        workers = {worker.name: worker.url for node in status.nodes for worker in node.workers}
        vias = [EDGE, *workers]
        table = AuditTable(status.database.url)
        try:
            baseline = await asyncio.to_thread(table.baseline, self._plan.profile.products)
            profile = self._with_what_is_there(baseline)
            prices = self._plan.chance("prices")
            origins = Origins(status.edge.url, workers)
            async with Driver(
                Catalogue(origins), profile, self._recorder, chance=prices, run_tag=self._plan.run_tag
            ) as driver:
                await driver.greet()
                traffic_s = await self._traffic(driver, profile, list(workers), stop)
                driver.phase = Phase.HEAL
                await self._mend()
                driver.phase = Phase.SETTLE
                began = time.monotonic()
                unsettled = await self._settle(driver, table, baseline, vias)
                settled_s = time.monotonic() - began
                await self._read_finally(driver, table, baseline, vias)
            return Played(
                killed=self._killed,
                killed_at_s=self._killed_at_s,
                traffic_s=traffic_s,
                unsent=driver.tally.unsent,
                unsettled=unsettled,
                settled_s=settled_s,
            )
        finally:
            table.close()
            await self._mend()

    def _with_what_is_there(self, baseline: Baseline) -> Profile:
        """The plan's traffic on the products that exist, whose versions go on file."""
        for key, version in baseline.versions.items():
            self._recorder.write(BaselineLine(self._recorder.index, time.monotonic_ns(), key, version))
        products = [each for each in self._plan.profile.products if f"product:{each}" in baseline.versions]
        if not products:
            raise ClusterError("the database holds none of the products that the demo asks for; `down`, then `up`")
        return replace(self._plan.profile, products=tuple(products))

    async def _traffic(self, driver: Driver, profile: Profile, workers: Sequence[str], stop: asyncio.Event) -> float:
        """Drive, and kill half way; the seconds that it took, answers included."""
        self._began = time.monotonic()
        watching = asyncio.create_task(self._watching(driver))
        killing = asyncio.create_task(self._kill_half_way(driver, stop))
        try:
            coming = arrivals(profile, workers, self._plan.chance("arrivals"))
            await driver.drive(coming, for_s=self._plan.duration_s, stop=stop)
            await driver.drain()
            await killing
        finally:
            watching.cancel()
            killing.cancel()
        return self._seconds()

    def _seconds(self) -> float:
        """Since the traffic began."""
        return time.monotonic() - self._began

    async def _watching(self, driver: Driver) -> None:
        while True:
            self._watch(self._seconds(), driver.tally)
            await asyncio.sleep(WATCH_EVERY_S)

    async def _kill_half_way(self, driver: Driver, stop: asyncio.Event) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), self._plan.duration_s / 2)
            return
        driver.phase = Phase.FAULT
        pid, deed = await asyncio.to_thread(self._kill)
        self._killed_at_s = self._seconds()
        self._note_fault("start", pid, deed)

    def _kill(self) -> tuple[int, Deed]:
        """Kill a node, or the only node's first worker; its pid until then, and what was done."""
        launcher = self._stage.launcher
        with self._stage.runs.lock("demo"):
            status = launcher.status()
            target = draw(Verb.KILL, status, self._plan.chance("kill"))
            if len(status.nodes) == 1:
                target = parse_target(status.nodes[0].workers[0].name, status)
            insist(launcher, Verb.KILL, target)
            self._killed = target  # before it is: if the kill itself fails half way, `_mend` looks
            return _server(status, target).pid or 0, launcher.kill(target)

    async def _mend(self) -> None:
        """Start what was killed again. A second call does nothing."""
        if self._killed is None or self._mended:
            return
        self._mended = True
        pid, deed = await asyncio.to_thread(self._restart, self._killed)
        self._note_fault("stop", pid, deed)

    def _restart(self, target: Target) -> tuple[int, Deed]:
        """Its new pid, and what was done. A worker has been replaced by its master already."""
        launcher = self._stage.launcher
        with self._stage.runs.lock("demo"):
            deed = Deed((), ())
            if _server(launcher.status(), target).state is State.DEAD:
                deed = launcher.restart(target)
            return _server(launcher.status(), target).pid or 0, deed

    def _note_fault(self, action: str, pid: int, deed: Deed) -> None:
        """The kill and its undoing are operations, too: on file, with the pid before or after as evidence."""
        assert self._killed is not None, "nothing was killed"
        fault = Fault(self._recorder.index, time.monotonic_ns(), "kill", action, self._killed.name, {"pid": pid})
        self._recorder.write(fault)
        for line in deed.did:
            self._tell(self._seconds(), line)

    async def _settle(self, driver: Driver, table: AuditTable, baseline: Baseline, vias: list[str]) -> str | None:
        """Read until every via agrees with the database on everything that was written; else what did not in time."""
        deadline = time.monotonic() + SETTLE_S
        behind: set[tuple[str, int]] | None = None
        told = False
        while True:
            rows = await asyncio.to_thread(table.since, baseline)
            latest = latest_versions(rows)
            missing = driver.acknowledged - {row.operation_id for row in rows}
            asked = {(via, product) for via in vias for product in latest} if behind is None else behind
            seen = await driver.read_all(sorted(asked))
            behind = {place for place in asked if seen.get(place) != latest[place[1]]}
            if not missing and not behind:
                return None
            what = unsettled(missing=len(missing), behind=behind, places=len(latest) * len(vias))
            if time.monotonic() > deadline:
                return what
            if not told:
                self._tell(self._seconds(), f"waiting for all to agree: {what}")
            told = True
            await asyncio.sleep(SETTLE_EVERY_S)

    async def _read_finally(self, driver: Driver, table: AuditTable, baseline: Baseline, vias: list[str]) -> None:
        """Read everything that was written once more, and put the audit on file.

        If a write of unknown end commits between the reads and the audit, they can't agree, and nobody is to blame:
        then both are taken again.
        """
        driver.phase = Phase.FINAL
        for _ in range(FINAL_READINGS_MAX):
            before = await asyncio.to_thread(table.since, baseline)
            await driver.read_all([(via, product) for via in vias for product in sorted(latest_versions(before))])
            rows = await asyncio.to_thread(table.since, baseline)
            if rows == before:
                break
        write, time_ns = self._recorder.write, time.monotonic_ns()
        for row in rows:
            write(Audit(self._recorder.index, time_ns, row.key, row.version, row.operation_id, row.node))
        write(Audited(self._recorder.index, time_ns, len(rows)))


def latest_versions(rows: Iterable[AuditRow]) -> dict[int, int]:
    """Product → its latest version, of the products in these audit rows."""
    latest: dict[int, int] = {}
    for row in rows:
        product = int(row.key.removeprefix("product:"))
        latest[product] = max(row.version, latest.get(product, 0))
    return latest


def unsettled(*, missing: int, behind: Collection[tuple[str, int]], places: int) -> str:
    """What had not come to rest in time: acknowledged writes that the database lacks, answers that are not its last."""
    parts = []
    if missing:
        parts.append(f"{missing} acknowledged writes are not in the database")
    if behind:
        whose = ", ".join(sorted({via for via, _ in behind}))
        parts.append(f"{len(behind)} of {places} answers are not the latest ({whose})")
    return " and ".join(parts)


def _server(status: Status, target: Target) -> Server:
    return next(server for server in status.everything() if server.name == target.name)
