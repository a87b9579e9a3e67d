"""Subject: the port between an examination and what is examined: a cluster of ours, or anybody's application.

    Examination ── baseline, shop ─▶ traffic ── lacks ─▶ well again ── rest ─▶ settle, final reads

A `Harm` is a fault that knows already whom it acts on: the nemesis only chooses the time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Protocol

from cluster.asking import http_status
from cluster.engine.settling import Settling
from cluster.fault.port import Cluster, Evidence, Fact, Fault, Plan
from cluster.history.recorder import Recorder
from cluster.status import State, Status
from cluster.workload.audit import AuditTable, Baseline
from cluster.workload.catalogue import Catalogue
from cluster.workload.driver import Driver
from cluster.workload.request import EDGE, Origins
from cluster.workload.shop import Shop


class Rest(Protocol):
    """The end of a run, when nothing is sent any more but by this."""

    async def settle(self, within_s: float) -> str | None:
        """Read until everybody agrees on everything that was written; else what did not, in time."""
        ...

    async def read_finally(self, recorder: Recorder) -> None:
        """Read everything once more for the record, and put on file what the subject itself knows was written."""
        ...


class Subject(Protocol):
    """What is examined. All but `rest` may block, and is called in a thread."""

    @property
    def shop(self) -> Shop:
        """How it is asked."""
        ...

    @property
    def workers(self) -> Sequence[str]:
        """Who can be asked beside the edge, by name."""
        ...

    def baseline(self, products: Sequence[int]) -> Mapping[str, int]:
        """The versions that are there before the run, by key, of those products that exist. Raises ClusterError."""
        ...

    def lacks(self) -> str | None:
        """What keeps it from being well; None: nothing."""
        ...

    def rest(self, driver: Driver, tell: Callable[[str], None]) -> Rest:
        """The end of the run that `driver` drove; `tell` gets what is being waited for. After `baseline`."""
        ...

    def close(self) -> None:
        """Let go of what was opened."""
        ...


class Harm(Protocol):
    """A fault on the subject: the calls of `cluster.fault.port.Fault` without the one whom it acts on."""

    def plan(self, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """Choose targets and fill in parameters."""
        ...

    def start(self, plan: Plan) -> None:
        """Do it."""
        ...

    def evidence(self, plan: Plan) -> Evidence:
        """Whether it took effect."""
        ...

    def heal(self, plan: Plan) -> None:
        """Undo it, wholly; idempotent."""
        ...


@dataclass(frozen=True, slots=True)
class HarmToCluster:
    """A fault on one cluster."""

    fault: Fault
    cluster: Cluster

    def plan(self, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """As the fault does."""
        return self.fault.plan(self.cluster, spec, parameters, chance)

    def start(self, plan: Plan) -> None:
        """As the fault does."""
        self.fault.start(self.cluster, plan)

    def evidence(self, plan: Plan) -> Evidence:
        """As the fault does."""
        return self.fault.evidence(self.cluster, plan)

    def heal(self, plan: Plan) -> None:
        """As the fault does."""
        self.fault.heal(self.cluster, plan)


class ClusterSubject:
    """A cluster that is up: its database says what was written, its status what is broken."""

    def __init__(self, cluster: Cluster) -> None:
        """Look at the cluster once. Raises ClusterError."""
        self._cluster = cluster
        status = cluster.status()
        origins = Origins(
            status.edge.url, {worker.name: worker.url for node in status.nodes for worker in node.workers}
        )
        self.workers = tuple(origins.workers)
        self._table = AuditTable(status.database.url)
        self.shop = Catalogue(origins, self._table.shelves())
        self._baseline: Baseline | None = None

    def baseline(self, products: Sequence[int]) -> Mapping[str, int]:
        """As the database has it."""
        self._baseline = self._table.baseline(products)
        return self._baseline.versions

    def lacks(self) -> str | None:
        """Dead, paused or cut servers, workers that are not ready."""
        return lacks(self._cluster)

    def rest(self, driver: Driver, tell: Callable[[str], None]) -> Settling:
        """Until all agree with the database."""
        assert self._baseline is not None, "the baseline was taken before the run"
        run = self._cluster.run
        return Settling(
            driver,
            self._table,
            self._baseline,
            [EDGE, *self.workers],
            tell=tell,
            secret=run.secret() if run.secret_file.exists() else "",
        )

    def close(self) -> None:
        """Close the database's connections."""
        self._table.close()


def lacks(cluster: Cluster) -> str | None:
    """What keeps a cluster from being well: dead, paused or cut servers, workers that are not ready; None: nothing."""
    status = cluster.status()
    broken = [f"{name} is {state}" for state in (State.DEAD, State.PAUSED) for name in status.named(state)]
    broken += [f"{name} is cut" for name in status.cut]
    return "; ".join(broken or _not_ready(status)) or None


def _not_ready(status: Status) -> list[str]:
    found = []
    for node in status.nodes:
        for worker in node.workers:
            answer = http_status(int(worker.url.rpartition(":")[2]), "/readyz")
            if answer != 200:
                found.append(f"{worker.name} is not ready ({answer})")
    return found
