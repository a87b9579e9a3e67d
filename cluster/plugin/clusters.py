"""Clusters: of all that the tests of a session want, one at a time is up."""

from __future__ import annotations

from pathlib import Path

from cluster.engine.subject import lacks
from cluster.fault.port import Cluster
from cluster.lifecycle import bring_up, running_cluster, take_down
from cluster.runs import Runs, runs_folder
from cluster.topology import Topology


class Clusters:
    """The session's clusters, in folders below `folder`."""

    def __init__(self, folder: Path) -> None:
        """Nothing is started yet."""
        self._folder = folder
        self._topology: Topology | None = None
        self._runs: Runs | None = None
        self._number = 0

    def get(self, wished: Topology | None) -> Cluster:
        """A cluster that is up and well: the clone's own if `wished` is None and it is, else one as wished.

        Raises ClusterError where none can be started.
        """
        if wished is None:
            clones = runs_folder(None)
            if clones.current() is not None:
                found = Cluster(*running_cluster(clones))
                if lacks(found) is None:
                    return found
            wished = Topology(edge_port=0, trace=True, failpoints=True)
        if self._runs is not None and self._topology == wished:
            found = Cluster(*running_cluster(self._runs))
            if lacks(found) is None:
                return found
        self.close()
        self._number += 1
        self._runs, self._topology = Runs(self._folder / f"cluster-{self._number}"), wished
        bring_up(wished, self._runs, _silent)
        return Cluster(*running_cluster(self._runs))

    def close(self) -> None:
        """End the one that is up, if it is ours. A second call does nothing."""
        if self._runs is not None:
            take_down(self._runs, _silent)
        self._runs = self._topology = None


def _silent(line: str) -> None:
    """Progress is for people at a terminal; pytest shows what failed."""
