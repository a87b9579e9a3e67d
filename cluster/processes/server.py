"""Server: the port of one kind of server. What to start, and how it shows that it does its work."""

from __future__ import annotations

from typing import Protocol

from cluster.processes.spawn import Command, Spawned
from cluster.until import Missing


class Server(Protocol):
    """One server of a run. Frozen; everything that it needs it gets from the plan."""

    @property
    def name(self) -> str:
        """Its name in the ledger, in `status` and of its log: `node-1`, `redis`, `edge`, …"""
        ...

    def command(self) -> Command:
        """Prepare its folder (again, when it is restarted), and return what to start."""
        ...

    def answers(self, spawned: Spawned) -> Missing:
        """None when it does its own work, whatever is wrong with those that it depends on; else what is missing."""
        ...

    def ready(self) -> Missing:
        """None when it does what a client wants of it, which takes the others too; else what is missing."""
        ...
