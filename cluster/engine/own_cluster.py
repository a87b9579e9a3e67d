"""An examination's own cluster: started when it is first needed, replaced when it is not well, ended at the end.

It lies in the examination's folder, logs included, and never touches a cluster that runs.
"""

from __future__ import annotations

from pathlib import Path

from cluster.engine.cell import Observers, examine
from cluster.engine.subject import lacks
from cluster.errors import ClusterError
from cluster.fault.port import Cluster
from cluster.launcher import Say
from cluster.lifecycle import bring_up, running_cluster, take_down
from cluster.record.run import RunRecord
from cluster.record.store import RunFolder
from cluster.runs import Runs
from cluster.scenario.scenario import Scenario


class OwnCluster:
    """One cluster after the other, in one folder. `say` gets lines of progress; `planted` is a bug that each has."""

    def __init__(self, folder: Path, say: Say, *, planted: str | None = None) -> None:
        """Nothing is started yet."""
        self._planted = planted
        self._runs = Runs(folder)
        self._say = say

    def examine(
        self,
        scenario: Scenario,
        folder: RunFolder,
        *,
        argv: tuple[str, ...],
        versions: dict[str, str],
        observers: Observers,
    ) -> RunRecord:
        """Run a scenario on it. Raises ClusterError where it can't be started or examined; it is taken down then."""
        try:
            cluster = self._well(scenario)
            return examine(cluster, scenario, folder, argv=argv, versions=versions, observers=observers)
        except ClusterError:
            self.close()
            raise

    def close(self) -> None:
        """Take it down. A second call does nothing."""
        take_down(self._runs, self._say)

    def _well(self, scenario: Scenario) -> Cluster:
        """The cluster, up and well; a new one where something of the old one is broken."""
        if self._runs.current() is not None:
            cluster = Cluster(*running_cluster(self._runs))
            broken = lacks(cluster)
            if broken is None:
                return cluster
            self._say(f"a new cluster, since of the old one {broken}")
            self.close()
        bring_up(scenario.topology(), self._runs, self._say, planted=self._planted)
        return Cluster(*running_cluster(self._runs))
