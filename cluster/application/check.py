"""Check: a foreign application from its adapter to a judged record, by the same coordinator as our own strategies."""

from __future__ import annotations

from datetime import UTC, datetime

from cluster.application.adapter import Adapter
from cluster.application.command_harm import CommandHarm
from cluster.application.foreign_subject import ForeignSubject
from cluster.engine.cell import Means, Observers, perform
from cluster.record.run import RunRecord
from cluster.record.store import RunFolder
from cluster.scenario.scenario import FaultStep, Scenario
from cluster.workload.profile import Profile


def scenario_of(adapter: Adapter, *, seed: int) -> Scenario:
    """The adapter's traffic and faults as a scenario. Raises WrongInputError for times that don't fit."""
    return Scenario(
        name=adapter.name,
        duration_s=adapter.traffic.duration_s,
        rate_per_s=adapter.traffic.rate_per_s,
        seed=seed,
        nodes=max(1, len(adapter.workers)),
        workers=1,
        faults=tuple(FaultStep(fault=each.name, at_s=each.at_s, for_s=each.for_s) for each in adapter.faults),
    )


def profile_of(adapter: Adapter) -> Profile:
    """The adapter's traffic. Raises WrongInputError for traffic that can't be."""
    traffic = adapter.traffic
    return Profile(
        products=tuple(range(1, len(adapter.items) + 1)),
        rate_per_s=traffic.rate_per_s,
        write_share=traffic.write_share,
        personal_share=0.0,
        direct_share=traffic.worker_share if adapter.workers else 0.0,
        zipf_exponent=traffic.zipf_exponent,
        timeout_s=traffic.timeout_s,
    )


def check(
    adapter: Adapter,
    text: str,
    folder: RunFolder,
    *,
    seed: int,
    argv: tuple[str, ...],
    versions: dict[str, str],
    observers: Observers,
) -> RunRecord:
    """Examine an application that runs, and judge it by its own word. Raises ClusterError where it does not answer."""
    record = RunRecord(
        id=folder.path.name,
        argv=argv,
        scenario=scenario_of(adapter, seed=seed),
        started_at=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=versions,
        target=text,
    )
    means = Means(
        subject=ForeignSubject(adapter),
        profile=profile_of(adapter),
        harms=tuple(CommandHarm(each) for each in adapter.faults),
        settle_s=adapter.contract.settles_s,
    )
    return perform(means, folder, record, observers)
