"""Containers: what the engine says of a project's containers, as values.

They are found by the labels that compose gives them, so that they are found even when the run folder is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from cluster.compose.engine import ask, docker
from cluster.errors import ClusterError
from cluster.status import State

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
STATES = {"running": State.RUNNING, "paused": State.PAUSED}  # any other (created, exited, dead) is dead


@dataclass(frozen=True, slots=True)
class Container:
    """One container. `pid`: of its first process, as the engine's machine counts; None when there is none."""

    identity: str
    service: str
    state: State
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


def _container(inspected: _Inspected) -> Container:
    state = STATES.get(inspected.State.Status, State.DEAD)
    return Container(
        identity=inspected.Id,
        service=inspected.Config.Labels[SERVICE_LABEL],
        state=state,
        pid=inspected.State.Pid if state is not State.DEAD else None,
        started=inspected.State.StartedAt,
        networks=frozenset(inspected.NetworkSettings.Networks),
    )
