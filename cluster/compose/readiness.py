"""Readiness: what a cluster under compose must answer, from this machine, before it is called ready."""

from __future__ import annotations

import re
import socket

from cluster.asking import http_status, lease_missing, listens
from cluster.compose.containers import Container
from cluster.compose.engine import ask
from cluster.compose.plan import EDGE, EDGE_AGENT, FLUSHER, POSTGRES, REDIS, Plan
from cluster.ports import LOOPBACK
from cluster.until import Missing

ASK_S = 1.0
READY = re.compile(r"\bready\b")


def answers(plan: Plan, service: str, container: Container) -> Missing:
    """None when a service does its own work, whatever is wrong with those that it depends on; else what is missing."""
    if service == EDGE:
        return listens(plan.addresses.edge)
    if service == EDGE_AGENT:
        return None  # it listens nowhere, and says nothing while all is well
    if service == REDIS:
        return _pong(plan.addresses.redis)
    if service == FLUSHER:
        return _says_ready(container)
    if service == POSTGRES:
        return listens(plan.addresses.database)
    return _every_worker(plan, service, "/healthz")


def ready(plan: Plan, service: str, container: Container) -> Missing:
    """None when a service does what a client wants of it, which takes the others too; else what is missing."""
    if service == EDGE:
        status = http_status(plan.addresses.edge, "/api/products/1")
        return None if status == 200 else f"the edge answers {status} for a product"
    if service == EDGE_AGENT:
        return lease_missing(plan.addresses.edge)
    if service in plan.topology.node_names:
        return _every_worker(plan, service, "/readyz")
    return answers(plan, service, container)


def _every_worker(plan: Plan, node: str, path: str) -> Missing:
    for worker in plan.topology.worker_names(node):
        status = http_status(plan.addresses.workers[worker], path)
        if status != 200:
            return f"{worker} answers {status} to {path}"
    return None


def _pong(port: int) -> Missing:
    try:
        with socket.create_connection((LOOPBACK, port), timeout=ASK_S) as redis:
            redis.sendall(b"PING\r\n")
            reply = redis.recv(64)
    except OSError as problem:
        return f"redis: {problem.strerror or problem}"
    return None if reply.startswith(b"+PONG") else f"redis answers {reply!r} to PING"


def _says_ready(flusher: Container) -> Missing:
    """It listens nowhere, but says in its log, since it was last started, that it is ready."""
    said = ask("logs", "--since", flusher.started, flusher.identity)
    return None if READY.search(said.out + said.err) else "the flusher has not said that it is ready"
