"""Asking: one short question to a port on loopback, whoever runs the server behind it."""

from __future__ import annotations

import http.client
import socket

from cluster.until import Missing

ASK_S = 1.0


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


def http_field(port: int, path: str, name: str, timeout_s: float = ASK_S) -> str | None:
    """The lines of a field of the answer to a GET on loopback, joined; None when there is no such answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    try:
        connection.request("GET", path, headers={"Connection": "close"})
        lines = connection.getresponse().headers.get_all(name)
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return None if lines is None else ", ".join(lines)


def lease_missing(port: int) -> Missing:
    """None when the edge on a loopback port hears of invalidations: it then uses what it stores."""
    status = http_field(port, "/api/products/1", "Cache-Status")
    return "the edge hears of no invalidations yet" if status is None or "detail=lease" in status else None


def listens(port: int) -> Missing:
    """None when something accepts connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=ASK_S):
            return None
    except OSError as problem:
        return f"port {port}: {problem.strerror or problem}"
