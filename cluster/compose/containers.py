"""Containers: what the engine says of a project's containers, as values.

They are found by the labels that compose gives them, so that they are found even when the run folder is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cluster.compose.engine import ask, docker
from cluster.errors import ClusterError
from cluster.pid import look
from cluster.status import State

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
STATES = {"running": State.RUNNING, "paused": State.PAUSED}  # any other (created, exited, dead) is dead
STOPPED = "Tt"


@dataclass(frozen=True, slots=True)
class Container:
    """One container. `pid`: of its first process, as the engine's machine counts; None when there is none.

    Paused means that its first process is stopped, or that somebody froze it by `docker pause`: `frozen`.
    """

    identity: str
    service: str
    state: State
    frozen: bool
    pid: int | None
    started: str
    networks: frozenset[str]


class _State(msgspec.Struct):
    Status: str
    Pid: int
    StartedAt: str


class _Config(msgspec.Struct):
    Labels: dict[str, str]


class _NetworkSettings(msgspec.Struct):
    Networks: dict[str, object]


class _Inspected(msgspec.Struct):
    Id: str
    State: _State
    Config: _Config
    NetworkSettings: _NetworkSettings


def containers_of(project: str) -> Mapping[str, Container]:
    """Every container of a project, by service; empty when there is none. Raises ClusterError."""
    listed = docker("ps", "--all", "--quiet", "--no-trunc", "--filter", f"label={PROJECT_LABEL}={project}").split()
    if not listed:
        return {}
    said = ask("inspect", "--type", "container", *listed)
    if said.code and "no such" not in said.err.lower():  # one that was removed since it was listed is not there
        raise ClusterError(f"`docker inspect` failed: {said.err.strip()}")
    return {found.service: found for found in map(_container, msgspec.json.decode(said.out, type=list[_Inspected]))}


def namespaced(pid: int) -> tuple[int, ...]:
    """The numbers of a process of this machine, from here inwards: its pid, and what its containers call it.

    One number alone is that of a process in no container. Empty: nothing has that number, or it can't be seen.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ()
    numbers = next((line.split()[1:] for line in lines if line.startswith("NSpid:")), [])
    return tuple(int(number) for number in numbers)


def _container(inspected: _Inspected) -> Container:
    state, pid = STATES.get(inspected.State.Status, State.DEAD), inspected.State.Pid
    frozen = state is State.PAUSED
    if state is State.RUNNING and _first_letter(inspected.Id, pid) in STOPPED:
        state = State.PAUSED
    return Container(
        identity=inspected.Id,
        service=inspected.Config.Labels[SERVICE_LABEL],
        state=state,
        frozen=frozen,
        pid=pid if state is not State.DEAD else None,
        started=inspected.State.StartedAt,
        networks=frozenset(inspected.NetworkSettings.Networks),
    )


def _first_letter(identity: str, pid: int) -> str:
    """The state of a container's first process, as the kernel writes it; read inside where it can't be seen here."""
    if namespaced(pid)[1:] == (1,) and (seen := look(pid)) is not None:
        return seen.letter
    said = ask("exec", identity, "cat", "/proc/1/stat")
    return said.out.rpartition(")")[2].split()[0] if said.code == 0 else "?"
