"""Starting servers and waiting for them, with an eye on those that die instead.

Everything is started at once: the machine's cores are the bound, not the order. Whoever needs a server that is not
there yet asks again; the waiting here is only for the person, who wants to know when all of it is so.
"""

from __future__ import annotations

from collections.abc import Iterable

from cluster.errors import ClusterError
from cluster.pid import state_of
from cluster.processes.database import Preparation
from cluster.processes.plan import Plan
from cluster.processes.server import Server
from cluster.processes.spawn import Spawned, bury, spawn
from cluster.status import State
from cluster.until import Missing, until

READY_S = 60.0
TAIL_LINES = 12


def start_all(plan: Plan, servers: Iterable[Server]) -> float:
    """Start the database's preparation and every server; return the seconds until all were ready.

    Raises ClusterError for a server that dies, with its last words, and NotInTimeError after READY_S.
    """
    preparing = spawn(plan.run, Preparation(plan).name, Preparation(plan).command())
    started = [(server, spawn(plan.run, server.name, server.command())) for server in servers]
    waiting = list(started)
    prepared = False

    def missing() -> Missing:
        nonlocal prepared
        prepared = prepared or _has_ended_well(preparing)
        for server, spawned in waiting:
            _must_live(server.name, spawned)
        while waiting:
            server, spawned = waiting[0]
            lacking = server.answers(spawned) or server.ready()
            if lacking is not None:
                return lacking
            waiting.pop(0)
        return None if prepared else f"the database is not prepared; see {preparing.log}"

    return until(missing, within_s=READY_S, waiting_for="the cluster to be ready", every_s=0.04)


def start_one(plan: Plan, server: Server, *, within_s: float) -> Spawned:
    """Start one server and return when it answers. Raises as `start_all` does."""
    spawned = spawn(plan.run, server.name, server.command())

    def missing() -> Missing:
        _must_live(server.name, spawned)
        return server.answers(spawned)

    until(missing, within_s=within_s, waiting_for=f"{server.name} to answer")
    return spawned


def _has_ended_well(preparing: Spawned) -> bool:
    if state_of(preparing.pid) is not State.DEAD:
        return False
    status = bury(preparing.pid)
    if status != 0:
        raise ClusterError(f"the database can't be prepared (status {status}){_last_words(preparing)}")
    return True


def _must_live(name: str, spawned: Spawned) -> None:
    if state_of(spawned.pid) is State.DEAD:
        status = bury(spawned.pid)
        raise ClusterError(f"{name} ended while it started (status {status}){_last_words(spawned)}")


def _last_words(spawned: Spawned) -> str:
    lines = spawned.said().splitlines()[-TAIL_LINES:]
    words = "".join(f"\n    {line}" for line in lines) or "\n    (it wrote nothing)"
    return f"; the end of {spawned.log}:{words}"
