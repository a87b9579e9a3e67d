"""One cell: a scenario on a cluster that is up, in a folder of its own, to its judged record.

    refusal? ─▶ skipped, with its reason        else examine ─▶ history.jsonl ─▶ judge ─▶ run.json

`run.json` is there from the beginning and written anew whenever a fault's record changes: if the examiner dies, the
folder says what had been done to the cluster.
"""

from __future__ import annotations

import asyncio
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop

from cluster.checker.verdict import Decision
from cluster.contract.contracts import settles_within_s
from cluster.engine.examination import Conducted, Examination, Listeners, Progress
from cluster.engine.judging import judged
from cluster.engine.subject import ClusterSubject, Harm, HarmToCluster, Subject
from cluster.engine.tracing import keep_traces
from cluster.fault.catalogue import fault_named
from cluster.fault.port import Cluster, Fault
from cluster.history.recorder import Recorder
from cluster.record.run import FaultRecord, RunRecord
from cluster.record.store import RunFolder
from cluster.scenario.scenario import Scenario
from cluster.workload.profile import Profile
from cluster.workload.workloads import workload_named

Tell = Callable[[float, str], None]
Watch = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observers:
    """Who sees a run while it goes on."""

    tell: Tell
    watch: Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """With what a scenario is run: what is examined, its traffic, a harm for each step, how long it may take to come to
    rest, and the folder in which its servers write traces (None: nobody does).
    """

    subject: Subject
    profile: Profile
    harms: tuple[Harm, ...]
    settle_s: float
    traces: Path | None = None


def examine(
    cluster: Cluster,
    scenario: Scenario,
    folder: RunFolder,
    *,
    argv: tuple[str, ...],
    versions: dict[str, str],
    observers: Observers,
) -> RunRecord:
    """Run, judge and record one scenario. Ctrl-C ends the traffic, and what there is is judged; a second one raises
    KeyboardInterrupt, when everything is healed. Raises ClusterError where the cluster can't be examined at all.
    """
    faults = tuple(fault_named(step.fault) for step in scenario.faults)
    record = RunRecord(
        id=folder.path.name,
        argv=argv,
        scenario=scenario,
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=versions,
    )
    refused = refusal(cluster, faults)
    if refused is not None:
        record = msgspec.structs.replace(record, skipped=refused, reason=refused)
        folder.write(record)
        return record
    means = Means(
        subject=ClusterSubject(cluster),
        profile=workload_named(scenario.workload).profile(scenario.rate_per_s),
        harms=tuple(HarmToCluster(fault, cluster) for fault in faults),
        settle_s=settles_within_s(scenario.strategy, scenario.settings),
        traces=cluster.run.traces,
    )
    return perform(means, folder, record, observers)


def perform(means: Means, folder: RunFolder, record: RunRecord, observers: Observers) -> RunRecord:
    """Run and judge the scenario of `record`; its final record, which is on file as well. Raises as `examine` does."""
    folder.write(record)
    conducted = _conduct(means, folder, record, observers)
    record = msgspec.structs.replace(
        record,
        origin_ns=conducted.origin_ns,
        phases=conducted.phases,
        faults=conducted.faults,
        interrupted=conducted.interrupted,
        unsent=conducted.unsent,
    )
    if means.traces is not None:
        keep_traces(means.traces, folder.traces, since_ns=conducted.origin_ns)
    folder.write(record)
    record = judged(folder, record)
    if conducted.unsettled is not None and record.decision is Decision.UNKNOWN:
        record = msgspec.structs.replace(record, reason=f"{record.reason}; at rest, {conducted.unsettled}")
    folder.write(record)
    return record


def refusal(cluster: Cluster, faults: tuple[Fault, ...]) -> str | None:
    """Why one of these faults can't be injected into this cluster; None when all can."""
    for fault in faults:
        reason = fault.refusal(cluster)
        if reason is not None:
            return f"{fault.name}: {reason}"
    return None


def _conduct(means: Means, folder: RunFolder, record: RunRecord, observers: Observers) -> Conducted:
    scenario = record.scenario

    def changed(found: tuple[FaultRecord, ...]) -> None:
        folder.write(msgspec.structs.replace(record, faults=found))

    async def main() -> Conducted:
        examination = Examination(
            means.subject,
            scenario,
            means.profile,
            means.harms,
            recorder,
            Listeners(tell=observers.tell, watch=observers.watch, changed=changed),
            run_tag=secrets.token_hex(4),
            settle_s=means.settle_s,
        )
        return await examination.perform(stop_on_signals())

    with (
        Recorder(
            folder.history,
            strategy=scenario.strategy,
            write_path=scenario.write_path,
            seed=scenario.seed,
            started_at=record.started_at,
        ) as recorder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        try:
            return runner.run(main())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def stop_on_signals() -> asyncio.Event:
    """An event that Ctrl-C (or SIGTERM) sets, in the running task; a second one cancels that task."""
    stop, me = asyncio.Event(), asyncio.current_task()
    assert me is not None, "a coroutine runs in a task"

    def interrupt() -> None:
        if stop.is_set():
            me.cancel()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    return stop
