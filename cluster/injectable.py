"""Injectable: which faults can be done to a cluster on this machine, and of the others why not.

    a small cluster ─▶ up ─▶ each fault is asked for its refusal ─▶ down

A refusal depends on the launcher, the database, the strategy and on what runs, so the real thing is asked, and not a
table that would have to be kept true beside it. That a cluster comes up at all is the first answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from cluster.doctor import Finding
from cluster.errors import ClusterError
from cluster.fault.catalogue import FAULTS, fault_named
from cluster.fault.port import Cluster
from cluster.lifecycle import bring_up, running_cluster, take_down
from cluster.runs import Runs
from cluster.topology import Topology

CAME_UP, FAULT = "a cluster", "fault: "


def asked_of_a_small_cluster(topology: Topology, say: Callable[[str], None]) -> tuple[Finding, ...]:
    """Bring `topology` up in a folder of its own, ask every fault, and take it down again; nothing of it stays.

    The first finding is whether it came up; without that there are no others. Ctrl-C raises KeyboardInterrupt, or
    ClusterError while it is starting, when all of it is down.
    """
    with tempfile.TemporaryDirectory(prefix="tocsin-doctor-") as folder:
        runs = Runs(Path(folder))
        try:
            brought = bring_up(topology, runs, say)
            came = Finding(
                CAME_UP, True, f"{topology.launcher}, {topology.database_kind}: up in {brought.seconds:.1f} s"
            )
            return (came, *injectable(Cluster(*running_cluster(runs))))
        except ClusterError as problem:
            return (Finding(CAME_UP, False, f"{topology.launcher}: {problem}"),)
        finally:
            take_down(runs, say)


def injectable(cluster: Cluster) -> tuple[Finding, ...]:
    """A finding for each fault, in the catalogue's order: what it does, or why it can't be done to this cluster."""
    found = []
    for name in FAULTS:
        fault = fault_named(name)
        reason = fault.refusal(cluster)
        found.append(Finding(f"{FAULT}{name}", reason is None, fault.summary if reason is None else reason))
    return tuple(found)


def summed_up(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """For a person: one line for all that can be injected, and one for each that can't."""
    faults = [each for each in findings if each.what.startswith(FAULT)]
    if not faults:
        return findings
    can = [each.what.removeprefix(FAULT) for each in faults if each.ok]
    others = [each for each in findings if each not in faults]
    text = f"{len(can)} of {len(faults)} can be injected: {', '.join(can)}"
    return (*others, Finding("faults", bool(can), text), *(each for each in faults if not each.ok))
