"""Server: the port of one kind of server. What to start, and how it shows that it does its work."""

from __future__ import annotations

import http.client
import socket
from typing import Protocol

from cluster.processes.spawn import Command, Spawned
from cluster.until import Missing

ASK_S = 1.0


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


def http_status(port: int, path: str, timeout_s: float = ASK_S) -> int | str:
    """The status of a GET on loopback; or, when there is none, why.

    A worker's port is open before the worker is there to accept: the request then waits in the kernel for as long as
    `timeout_s`, which is also the cheapest way to wait for it.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as problem:
        return str(problem) or type(problem).__name__
    finally:
        connection.close()


def listens(port: int) -> Missing:
    """None when something accepts connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ASK_S):
            return None
    except OSError as problem:
        return f"port {port}: {problem.strerror or problem}"
