"""An engine to test with, the services' image, and the project that pytest-docker brings up from docker-compose.yml."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compose.engine import BUILD_S, docker, lack, left_of
from tests.requirement import unavailable

ROOT = Path(__file__).resolve().parents[2]
COMPOSE_FILE = ROOT / "docker-compose.yml"


@pytest.fixture(scope="session")
def engine() -> None:
    """A Docker engine: skips with the reason where there is none, fails where REQUIRE promises one."""
    reason = lack()
    if reason is not None:
        unavailable("compose", reason)


@pytest.fixture(scope="session")
def image(engine: None) -> None:
    """The services' image, or at least all of its slow layers: built once, under a bound of its own."""
    docker("compose", "-f", str(COMPOSE_FILE), "build", "--quiet", "init-db", within_s=BUILD_S)


@pytest.fixture(scope="session")
def docker_compose_project_name(image: None) -> Iterator[str]:
    """A project of this session's own; pytest-docker takes it down before this looks whether anything is left."""
    name = f"tocsin-test-{uuid.uuid4().hex[:8]}"
    yield name
    assert left_of(name) == {}


@pytest.fixture(scope="session")
def docker_compose_file() -> str:
    """The file that users have."""
    return str(COMPOSE_FILE)


@pytest.fixture(scope="session")
def docker_compose_command() -> str:
    """Any free port for the edge: 8080 may be somebody's."""
    return "env EDGE_PORT=0 docker compose --progress quiet"


@pytest.fixture(scope="session")
def docker_setup() -> list[str]:
    """One command, as the README says; it returns when every health check passes."""
    return ["up --wait --wait-timeout 180"]


@pytest.fixture(scope="session")
def docker_cleanup() -> list[str]:
    """Volumes too; quick."""
    return ["down --volumes --timeout 5"]
