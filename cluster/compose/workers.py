"""Workers: the web processes inside a node's container, found by the pid files that they write.

The question is put by a little Python inside the container, where the pid files and the pids mean something:

    docker exec node-2 python  ──▶  worker-1: pid 14, state S          here:  pid 14 there is 90211 here (NSpid)
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import psutil

from cluster.compose.containers import STOPPED, Container, namespaced
from cluster.compose.engine import ask
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


@dataclass(frozen=True, slots=True)
class Worker:
    """A living worker. `inside`: its pid in the container; `pid`: here, None where that can't be seen."""

    inside: int
    pid: int | None
    state: State


def workers_of(node: Container, count: int) -> dict[int, Worker]:
    """The living workers of a node by slot; none of a dead node, none seen of a frozen one, which nobody can enter."""
    if node.state is State.DEAD or node.frozen:
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


def _pids_here(node: Container) -> dict[int, int]:
    """Pids in the container -> pids on this machine; nothing where the engine runs elsewhere (in a VM)."""
    if node.pid is None:
        return {}
    try:
        children = psutil.Process(node.pid).children()
    except psutil.Error:
        return {}
    return {pids[-1]: pids[0] for child in children if len(pids := namespaced(child.pid)) > 1}
