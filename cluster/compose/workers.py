"""Workers: the web processes inside a node's container, looked at and signalled by the pid files that they write.

The question is put by a little Python inside the container, where the pid files and the pids mean something:

    docker exec node-2 python  ──▶  worker-1: pid 14, state S          here:  pid 14 there is 90211 here (NSpid)
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec
import psutil

from cluster.compose.containers import Container
from cluster.compose.engine import ask, docker
from cluster.errors import ClusterError
from cluster.status import State

# A pid file outlives its worker: only a child of the container's first process, gunicorn's master, is one.
LOOK = """
import json, sys
found = {}
for slot in range(1, int(sys.argv[1]) + 1):
    try:
        pid = int(open(f"/run/tocsin/worker-{slot}.pid").read())
        state, parent = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[:2]
    except (OSError, ValueError):
        continue
    if parent == "1" and state not in "ZX":
        found[slot] = [pid, state]
print(json.dumps(found))
"""
SIGNAL = """
import os, sys
os.kill(int(open(f"/run/tocsin/worker-{sys.argv[1]}.pid").read()), int(sys.argv[2]))
"""
STOPPED = "Tt"


@dataclass(frozen=True, slots=True)
class Worker:
    """A living worker. `inside`: its pid in the container; `pid`: here, None where that can't be seen."""

    inside: int
    pid: int | None
    state: State


def workers_of(node: Container, count: int) -> dict[int, Worker]:
    """The living workers of a node by slot. None of a dead node, and none seen of a paused one: nobody can look in."""
    if node.state is not State.RUNNING:
        return {}
    said = ask("exec", node.identity, "python", "-ISc", LOOK, str(count))
    if said.code:  # it is just starting or ending
        return {}
    seen = msgspec.json.decode(said.out, type=dict[int, tuple[int, str]])
    here = _pids_here(node)
    return {
        slot: Worker(inside, here.get(inside), State.PAUSED if state in STOPPED else State.RUNNING)
        for slot, (inside, state) in seen.items()
    }


def signal_worker(node: Container, slot: int, number: int) -> None:
    """Send a signal to a worker. Raises ClusterError when there is no such process."""
    try:
        docker("exec", node.identity, "python", "-ISc", SIGNAL, str(slot), str(number))
    except ClusterError as problem:
        raise ClusterError(f"{node.service}/worker-{slot} can't be signalled: {problem}") from None


def _pids_here(node: Container) -> dict[int, int]:
    """Pids in the container -> pids on this machine; nothing where the engine runs elsewhere (in a VM)."""
    if node.pid is None:
        return {}
    try:
        children = psutil.Process(node.pid).children()
    except psutil.Error:
        return {}
    pids: dict[int, int] = {}
    for child in children:
        try:
            lines = Path(f"/proc/{child.pid}/status").read_text(encoding="utf-8").splitlines()
        except OSError:  # it ended since it was listed
            continue
        for line in lines:
            numbers = line.removeprefix("NSpid:").split()
            if line.startswith("NSpid:") and len(numbers) > 1:  # outermost first; one alone is no container's
                pids[int(numbers[-1])] = child.pid
    return pids
