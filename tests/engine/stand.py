"""A toy cluster to run examinations on: an origin that commits, a launcher that pretends, faults that only note."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import cast

from cluster.engine.examination import Conducted, Examination, Listeners, Progress
from cluster.engine.subject import ClusterSubject, HarmToCluster
from cluster.fault.port import Cluster, Fault
from cluster.history.columns import History
from cluster.history.reader import read_history
from cluster.history.recorder import Recorder
from cluster.launcher import Launcher
from cluster.record.run import FaultRecord
from cluster.runs import Run
from cluster.scenario.scenario import FaultStep, Scenario
from cluster.workload.profile import Profile
from tests.demo.toy import ToyLauncher, database_at
from tests.engine.toy_fault import ToyFault
from tests.workload.origin import Script, origin

PROFILE = Profile(products=tuple(range(1, 31)), rate_per_s=100, write_share=0.2, timeout_s=5)
Arrange = Callable[[asyncio.AbstractEventLoop, asyncio.Event], object]


class Stand:
    """One toy cluster in a folder, and what was told."""

    def __init__(self, folder: Path, script: Callable[[Path], Script], *, products: int = 20) -> None:
        self.folder = folder
        self.database = database_at(folder / "catalog.db", products=products)
        self.script = script(self.database)
        self.toy = ToyLauncher("", self.database, 2)
        self.told: list[str] = []
        self.watched: list[Progress] = []
        self.changes: list[tuple[FaultRecord, ...]] = []

    def perform(
        self,
        *faults: ToyFault,
        duration_s: float = 1.0,
        seed: int = 7,
        settle_s: float = 5.0,
        arrange: Arrange = lambda *_: None,
    ) -> Conducted:
        """Examine with these faults; `arrange` may arrange for the end."""
        steps = tuple(FaultStep(fault=fault.name) for fault in faults)
        scenario = Scenario(duration_s=duration_s, seed=seed, faults=steps, nodes=2, workers=1)

        async def main() -> Conducted:
            async with origin(self.script) as running:
                self.toy.url = running.url
                cluster = Cluster(Run(self.folder), cast(Launcher, self.toy))
                stop = asyncio.Event()
                arrange(asyncio.get_running_loop(), stop)
                with Recorder(self.folder / "history.jsonl") as recorder:
                    return await Examination(
                        ClusterSubject(cluster),
                        scenario,
                        PROFILE,
                        tuple(HarmToCluster(cast(Fault, fault), cluster) for fault in faults),
                        recorder,
                        Listeners(
                            tell=lambda _, line: self.told.append(line),
                            watch=self.watched.append,
                            changed=self.changes.append,
                        ),
                        run_tag="0badcafe",
                        settle_s=settle_s,
                    ).perform(stop)

        return asyncio.run(main())

    @property
    def history(self) -> History:
        """What is on file."""
        return read_history(self.folder / "history.jsonl")
