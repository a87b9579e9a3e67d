"""Faults of the database: somebody holds the lock that every writer needs, for long, or again and again.

    lock-database   nobody can write; on PostgreSQL and MariaDB nobody can read products either
    slow-database   the same for `hold_ms`, then free for `rest_ms`: every write waits for its turn

The holder is a process of its own (`python -m cluster.fault.holder`), in the run's ledger, which ends by itself after
`for_s` seconds at most. Cutting a database off is a fault of the network (`partition-database`, `database-down`).
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

import cluster as package
from cluster.errors import ClusterError
from cluster.fault.holder import engine_of, take
from cluster.fault.port import Cluster, Evidence, Fact, Plan
from cluster.fault.steps import SteppedFault
from cluster.processes import family
from cluster.processes.spawn import Command, spawn
from cluster.until import Missing, pause_s, until

DATABASE, HOLDER = "database", "lock-holder"
ROOT = str(Path(package.__file__).resolve().parent.parent)
HELD_S = 15.0
TRIES, TRY_EVERY_S = 20, 0.1


def _nothing(cluster: Cluster, parameters: Mapping[str, Fact]) -> dict[str, Fact]:  # noqa: ARG001  # a step's form
    return {}


def _hold(cluster: Cluster, plan: Plan) -> None:
    run, given = cluster.run, plan.parameters
    times = (str(given.get("hold_ms", 0.0)), str(given.get("rest_ms", 0.0)), str(given["for_s"]))
    folder = run.folder(HOLDER)
    environment = {"PYTHONPATH": ROOT, "HOLDER_URL": cluster.status().database.url}  # the URL may hold a password
    spawned = spawn(run, HOLDER, Command((sys.executable, "-m", "cluster.fault.holder", *times), folder, environment))

    def missing() -> Missing:
        said = spawned.said()
        return None if "held" in said else f"it says: {said.strip()[-200:] or 'nothing'}"

    until(missing, within_s=HELD_S, waiting_for="the database's lock")


def _let_go(cluster: Cluster, plan: Plan) -> None:  # noqa: ARG001
    family.kill(cluster.run, HOLDER)


def _is_held(cluster: Cluster, plan: Plan) -> Evidence:
    """Ask for the lock, and don't wait for it, again and again."""
    wanted = 0.25 if "hold_ms" in plan.parameters else 1.0  # short holds: some of the tries find it free
    engine = engine_of(cluster.status().database.url)
    locked = 0
    try:
        for _ in range(TRIES):
            try:
                with contextlib.closing(engine.connect()) as connection:
                    take(connection, wait=False)
            except SQLAlchemyError:
                locked += 1
            pause_s(TRY_EVERY_S)
    except OSError as problem:
        raise ClusterError(f"the database can't be asked: {problem}") from None
    finally:
        engine.dispose()
    text = f"of {TRIES} tries to lock the products {locked} found them locked"
    return Evidence(took=locked >= wanted * TRIES, text=text, details={"locked": locked, "tries": TRIES})


LOCK_DATABASE = SteppedFault(
    name="lock-database",
    summary="somebody holds the lock that every write needs, and does not let go",
    aim=(DATABASE,),
    parameters={"for_s": 60.0},
    look=_nothing,
    act=_hold,
    proof=_is_held,
    mend=_let_go,
)
SLOW_DATABASE = SteppedFault(
    name="slow-database",
    summary="the lock that every write needs is taken half of the time",
    aim=(DATABASE,),
    parameters={"hold_ms": 300.0, "rest_ms": 300.0, "for_s": 60.0},
    look=_nothing,
    act=_hold,
    proof=_is_held,
    mend=_let_go,
)
