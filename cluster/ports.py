"""Ports: numbers for all servers of a run, chosen together before any of them starts, and kept until the run ends.

    1024 ........ 32768 ═════════════ 60999 ........ 65535
         chosen         ephemeral: the kernel's own
          here          for outgoing connections

A server's port must never be one that the kernel may give to an outgoing connection: while node-2 is dead, some
client's connection could get its number, and node-2 could not come back. So they are taken below that range (above it
where there is no room below). A block of neighbours, since a person reads them.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from random import Random

from cluster.errors import ClusterError

LOOPBACK = "127.0.0.1"
EDGE_PORT = 8080
FIRST, LAST = 15_000, 65_535
STEP = 100  # blocks begin at a round number
TRIES_MAX = 200


def ephemeral_range() -> tuple[int, int]:
    """First and last port that the kernel gives to outgoing connections."""
    low, high = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text(encoding="ascii").split()
    return int(low), int(high)


def is_free(port: int) -> bool:
    """Whether a server could listen on a loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a port whose old connections are still in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError:
            return False
    return True


def choose_block(
    count: int,
    rng: Random,
    *,
    ephemeral: tuple[int, int] | None = None,
    free: Callable[[int], bool] = is_free,
) -> tuple[int, ...]:
    """`count` free neighbours outside the ephemeral range, beginning at a random round number.

    Random, so that two clones that start at the same moment seldom want the same ones. Raises ClusterError when no
    such block is found.
    """
    low, high = ephemeral or ephemeral_range()
    below = [start for start in range(FIRST, LAST, STEP) if start + count <= low]
    starts = below or [start for start in range(FIRST, LAST, STEP) if start > high and start + count <= LAST]
    for start in rng.sample(starts, min(len(starts), TRIES_MAX)):
        block = tuple(range(start, start + count))
        if all(free(port) for port in block):
            return block
    raise ClusterError(
        f"no {count} free ports in a row outside {low}-{high}, which the kernel uses for outgoing connections; "
        f"`sysctl net.ipv4.ip_local_port_range` can make room"
    )


def edge_port(asked: int | None, spare: int, free: Callable[[int], bool] = is_free) -> int:
    """The edge's port: the one that was asked for, or else 8080 if it is free, or else `spare`. 0 asks for any.

    Raises ClusterError when the one that was asked for is taken.
    """
    if asked:
        if free(asked):
            return asked
        raise ClusterError(f"port {asked} is taken (or not allowed for this user); name another, or none: --port 0")
    return EDGE_PORT if asked is None and free(EDGE_PORT) else spare
