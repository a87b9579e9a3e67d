"""One cell to its record: skipped with its reason, judged, or interrupted and judged all the same."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from cluster.checker.verdict import Decision
from cluster.engine.cell import Means, Observers, perform, refusal
from cluster.engine.examination import Progress
from cluster.engine.subject import ClusterSubject, HarmToCluster
from cluster.fault.port import Cluster, Fault
from cluster.launcher import Launcher
from cluster.record.run import RunRecord
from cluster.record.store import RunFolder
from cluster.runs import Run
from cluster.scenario.scenario import FaultStep, Scenario
from tests.demo.toy import ToyLauncher, committing, database_at
from tests.engine.stand import PROFILE
from tests.engine.toy_fault import ToyFault
from tests.workload.origin import origin


@contextmanager
def toy_cluster(folder: Path) -> Iterator[Cluster]:
    """A toy cluster whose origin serves from a thread of its own: the engine has the main one, as signals need it."""
    database = database_at(folder / "catalog.db")
    toy = ToyLauncher("", database, 2)
    ready, over = threading.Event(), threading.Event()

    async def serve() -> None:
        async with origin(committing(database)) as running:
            toy.url = running.url
            ready.set()
            while not over.is_set():
                await asyncio.sleep(0.01)

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    try:
        assert ready.wait(10)
        yield Cluster(Run(folder), cast(Launcher, toy))
    finally:
        over.set()
        thread.join()


def run(folder: Path, fault: ToyFault, *, duration_s: float, watch: Callable[[Progress], None]) -> RunRecord:
    with toy_cluster(folder) as cluster:
        scenario = Scenario(duration_s=duration_s, faults=(FaultStep(fault=fault.name),), nodes=2, workers=1)
        means = Means(
            subject=ClusterSubject(cluster),
            profile=PROFILE,
            harms=(HarmToCluster(cast(Fault, fault), cluster),),
            settle_s=5.0,
        )
        place = RunFolder(folder / "run")
        observers = Observers(tell=lambda *_: None, watch=watch)
        return perform(means, place, RunRecord(id="run", scenario=scenario), observers)


def test_a_run_is_on_record_with_everything_that_was_decided(tmp_path: Path) -> None:
    """What `perform` returns is what lies in the folder."""
    record = run(tmp_path, ToyFault(), duration_s=1.0, watch=lambda _: None)
    assert RunFolder(tmp_path / "run").read() == record
    assert record.decision is not None
    assert not record.interrupted
    assert [each.plan.fault for each in record.faults] == ["toy"]
    assert {gate.gate for gate in record.gates} >= {"machine", "evidence of toy", "hits"}
    assert record.figures is not None


def test_ctrl_c_heals_and_judges_what_there_is(tmp_path: Path) -> None:
    """A signal while the fault is in force: it is proven and healed, all comes to rest; nothing is called valid."""
    fault = ToyFault()
    sent: list[float] = []

    def interrupt(progress: Progress) -> None:
        if progress.in_force and not sent:
            sent.append(progress.seconds)
            os.kill(os.getpid(), signal.SIGINT)

    record = run(tmp_path, fault, duration_s=40.0, watch=interrupt)
    assert sent
    assert record.interrupted
    assert record.decision is not Decision.VALID
    assert fault.did == ["plan", "start", "evidence", "heal"]
    assert record.promises
    assert record.phases[-1].phase == "final"


def test_a_fault_that_the_launcher_can_not_do_is_refused_with_its_reason(tmp_path: Path) -> None:
    """The first reason; None where all can be done."""
    with toy_cluster(tmp_path) as cluster:
        able, unable = ToyFault(), ToyFault(name="other", refused="toys have no network")
        assert refusal(cluster, cast(tuple[Fault, ...], (able,))) is None
        assert refusal(cluster, cast(tuple[Fault, ...], (able, unable))) == "other: toys have no network"
