"""Signals: stopping and continuing what runs in a container, from outside and from inside.

    outside   docker kill --signal STOP   reaches the container's first process, and nothing else can
    inside    sh -c 'kill -STOP -1'       reaches all the others

Why not `docker pause`, which is made for this: it freezes whatever runs in the container at that moment, a health check
too, and the engine then waits for ever for the check that it has frozen. Seen with engine 20.10:

    engine:  health check: exec python ............ waits for it to end, holding the container
    we:                    docker pause: frozen
    anybody:                                 docker inspect, docker unpause: wait for the container

Stopped processes are all that a paused node is; health checks and questions of ours can still be put beside them.
"""

from __future__ import annotations

import signal

from cluster.compose.containers import Container
from cluster.compose.engine import ask, docker
from cluster.errors import ClusterError

SIGNAL_WORKER = """
import os, sys
os.kill(int(open(f"/run/tocsin/worker-{sys.argv[1]}.pid").read()), int(sys.argv[2]))
"""


def stop(container: Container) -> None:
    """Stop every process of a container. The first one first: stopped, it can start no other."""
    docker("kill", "--signal", "STOP", container.identity)
    _signal_others(container, "STOP")


def go_on(container: Container) -> None:
    """Let every process of a container run on, also one that somebody froze by `docker pause`."""
    if container.frozen:
        docker("unpause", container.identity)
    _signal_others(container, "CONT")
    docker("kill", "--signal", "CONT", container.identity)


def signal_worker(node: Container, slot: int, number: signal.Signals) -> None:
    """Send a signal to a worker. Raises ClusterError when there is no such process."""
    try:
        docker("exec", node.identity, "python", "-ISc", SIGNAL_WORKER, str(slot), str(int(number)))
    except ClusterError as problem:
        raise ClusterError(f"{node.service}/worker-{slot} can't be signalled: {problem}") from None


def _signal_others(container: Container, name: str) -> None:
    # A container whose first process is its only one has no other to signal: sh says so by its status.
    ask("exec", container.identity, "sh", "-c", f"kill -{name} -1")
