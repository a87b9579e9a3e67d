"""The planted bugs and the clean controls, as the examiner must find them.

Each bug has the run that shows it: a strategy that has the part which the bug is in, the traffic and the faults that it
needs, and settings that make what it does outlast what the strategy may do by itself (a long TTL in L1). A conviction
counts when it is for this property and, where reads were stale, when most of them get this cause.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cluster.scenario.scenario import FaultStep, Scenario
from cluster.trace.cause import Cause

LONG_L1 = {"TOCSIN_L1_TTL_S": "20"}
"""Long enough that what a listener missed is still served when a promise says that it may not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedBug:
    """One bug. `cause` is None where what it breaks is not about stale reads; `needs` says what no workload has yet."""

    name: str
    strategy: str
    property: str
    cause: Cause | None
    write_path: str = "cache-aside"
    workload: str = "register"
    faults: tuple[FaultStep, ...] = ()
    settings: dict[str, str] = field(default_factory=dict)
    needs: str = ""

    def scenario(self, *, seed: int, duration_s: float = 12.0) -> Scenario:
        """The run that shows it. Its name does not tell which bug it is."""
        return Scenario(
            strategy=self.strategy,
            write_path=self.write_path,
            workload=self.workload,
            faults=self.faults,
            settings=self.settings,
            duration_s=duration_s,
            seed=seed,
        )


PLANTED = {
    bug.name: bug
    for bug in (
        PlantedBug(
            name="publish-before-commit",
            strategy="pubsub",
            settings=LONG_L1,
            property="staleness",
            cause=Cause.REFILLED,
        ),
        PlantedBug(name="no-publish", strategy="sequenced", property="staleness", cause=Cause.NEVER_PUBLISHED),
        PlantedBug(name="invalidate-before-commit", strategy="l2-only", property="staleness", cause=Cause.REFILLED),
        PlantedBug(
            name="wrong-channel",
            strategy="pubsub",
            settings=LONG_L1,
            property="staleness",
            cause=Cause.NOT_DELIVERED,
        ),
        PlantedBug(
            name="late-fill",
            strategy="sequenced",
            workload="uniform",
            faults=(FaultStep(fault="sleep-before-fill", target="all", parameters={"sleep_s": 1.0, "count": 30}),),
            property="staleness",
            cause=Cause.REFILLED,
        ),
        PlantedBug(
            name="listener-dies",
            strategy="pubsub",
            settings=LONG_L1,
            property="staleness",
            cause=Cause.NOT_DELIVERED,
        ),
        PlantedBug(
            name="listener-before-fork",
            strategy="pubsub",
            settings=LONG_L1,
            property="staleness",
            cause=Cause.NOT_DELIVERED,
        ),
        PlantedBug(
            name="no-flush",
            strategy="sequenced",
            faults=(FaultStep(fault="drop-messages"),),
            settings=LONG_L1,
            property="staleness",
            cause=Cause.NOT_DELIVERED,
        ),
        PlantedBug(
            name="lease-from-reply",
            strategy="sequenced",
            property="staleness",
            cause=Cause.DELIVERED_LATE,
            # Tried with latency and three pauses of the node: by then its workers have a queue, and answer too late.
            needs="an agent that stops between a question to Redis and its answer, while its workers go on (the "
            "simulator's mutant M03 shows it)",
        ),
        PlantedBug(name="own-echo", strategy="pubsub", settings=LONG_L1, property="staleness", cause=Cause.IGNORED),
        PlantedBug(name="ttl-unit", strategy="ttl", property="staleness", cause=Cause.NEVER_PUBLISHED),
        PlantedBug(
            name="negative-kept",
            strategy="pubsub",
            property="staleness",
            cause=Cause.IGNORED,
            needs="a workload that deletes products and makes them again",
        ),
        PlantedBug(
            name="tag-missed",
            strategy="sequenced",
            workload="tags",
            property="staleness",
            cause=None,
        ),
        PlantedBug(name="user-missing", strategy="sequenced", property="leak", cause=None),
        PlantedBug(
            name="lost-write-behind",
            strategy="sequenced",
            write_path="write-behind",
            property="lost write",
            cause=None,
        ),
        PlantedBug(
            name="wall-clock",
            strategy="sequenced",
            faults=(FaultStep(fault="clock-skew"),),
            settings=LONG_L1,
            property="staleness",
            cause=Cause.CLOCK,
        ),
    )
}

CONTROLS = ("no-cache", "versioned", "sequenced", "strict")
"""Strategies without a bug, which must be acquitted whatever the fault."""
