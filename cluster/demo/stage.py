"""Which cluster a demo plays on: the one that runs, if it is as asked; else one of its own.

| runs now                         | asked for      | then                                                          |
|----------------------------------|----------------|---------------------------------------------------------------|
| nothing                          | anything       | it is brought up, and stays up                                |
| a cluster that is as asked       | the same, or   | that one                                                      |
|                                  | nothing        |                                                               |
| another                          | something else | a second one beside it, in `runs/demo`, gone after the demo   |

The second is what `make demo STRATEGY=ttl` after `make demo` comes to: the contrast, without losing what was there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec

from cluster.errors import ClusterError
from cluster.launcher import Launcher, launcher_of
from cluster.lifecycle import bring_up, take_down
from cluster.runs import Run, Runs
from cluster.status import State, Status
from cluster.topology import Topology

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """A cluster that is up and well. `own`: it was started for this demo alone. `fresh`: it was not up before."""

    runs: Runs
    run: Run
    own: bool
    fresh: bool

    @property
    def launcher(self) -> Launcher:
        """Who can break and mend it."""
        return launcher_of(self.run)

    def status(self) -> Status:
        """What it is now."""
        return self.launcher.status()

    def close(self, say: Say) -> None:
        """Take it down again if it was started for this demo alone; its run folder stays."""
        if self.own:
            take_down(self.runs, say)


def set_stage(asked: Mapping[str, object], runs: Runs, say: Say) -> Stage:
    """A cluster for the demo. `asked`: the fields of Topology that a person named; the others are free.

    Raises ClusterError where the running cluster is not well, or no second one can be had; WrongInputError for values
    that no cluster can have.
    """
    current = runs.current()
    if current is None:
        return _bring_up(runs, topology_like(Topology(), asked), say, own=False)
    running, status = current.topology(), launcher_of(current).status()
    if asked.get("edge_port") == urlsplit(status.edge.url).port:
        asked = {name: value for name, value in asked.items() if name != "edge_port"}  # it is there already
    wanted = topology_like(running, asked)
    differences = running.differences(wanted)
    if not differences:
        _insist_well(status)
        return Stage(runs, current, own=False, fresh=False)
    shared = shared_by(running, wanted)
    if shared is not None:
        raise ClusterError(f"a cluster with {'; '.join(differences)} is running, and {shared}; `down` first")
    say(f"the cluster that runs has {'; '.join(differences)}: it stays as it is, and the demo gets one of its own")
    if "edge_port" not in asked:
        wanted = msgspec.structs.replace(wanted, edge_port=0)  # the usual one belongs to the cluster that runs
    beside = runs.beside
    if beside.current() is not None:
        take_down(beside, say)  # left by a demo that was killed
    return _bring_up(beside, wanted, say, own=True)


def topology_like(other: Topology, asked: Mapping[str, object]) -> Topology:
    """`other`, but with the fields that were asked for. Raises WrongInputError for values that no cluster can have."""
    return Topology(**{**msgspec.structs.asdict(other), **asked})


def shared_by(running: Topology, wanted: Topology) -> str | None:
    """What these two clusters would share if both ran, and can't; None: nothing."""
    if running.launcher == wanted.launcher == "compose":
        return "compose runs one cluster of a clone at a time"
    if wanted.database_url is not None and wanted.database_url == running.database_url:
        # Each would change rows behind the other's back, and neither's workers would hear of it.
        return "two clusters must not share a database"
    return None


def _bring_up(runs: Runs, topology: Topology, say: Say, *, own: bool) -> Stage:
    bring_up(topology, runs, say)
    run = runs.current()
    assert run is not None, "bring_up returned without a cluster"
    return Stage(runs, run, own=own, fresh=True)


def _insist_well(status: Status) -> None:
    for state, remedy in ((State.DEAD, "`restart` brings one back"), (State.PAUSED, "`heal` lets it run on")):
        names = status.named(state)
        if names:
            raise ClusterError(f"a demo needs a cluster that is well, and {', '.join(names)} is {state}; {remedy}")
    if status.cut:
        raise ClusterError(f"a demo needs a cluster that is well, and {', '.join(status.cut)} is cut; `heal` mends it")
