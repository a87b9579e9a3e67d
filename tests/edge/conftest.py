"""Fixtures: three toy nodes, and the real edge before them."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.running_edge import Edge, running_edge
from tests.edge.toy_node import ToyNode, always, answer


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter; pytest's own are private to who runs the tests."""
    with tempfile.TemporaryDirectory(prefix="edge-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def nodes() -> Iterator[list[ToyNode]]:
    """node-1, node-2, node-3: each answers every request with its own name, uncacheably."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(named_node(f"node-{number}")) for number in (1, 2, 3)]


@pytest.fixture
def edge(tmp_path: Path, nodes: list[ToyNode]) -> Iterator[Edge]:
    """The real nginx before the three nodes."""
    with running_edge(tmp_path / "edge", [node.address for node in nodes]) as edge:
        yield edge


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Edge, list[ToyNode]]]:
    """One edge for a whole module of tests that break nothing and fill no store."""
    with contextlib.ExitStack() as stack:
        nodes = [stack.enter_context(named_node(f"node-{number}")) for number in (1, 2, 3)]
        prefix = tmp_path_factory.mktemp("standing") / "edge"
        yield stack.enter_context(running_edge(prefix, [node.address for node in nodes])), nodes


def named_node(name: str) -> ToyNode:
    """A node that answers with its name and says who it is, as the services do."""
    return ToyNode(name, always(answer(name, headers=identity(name))))


def identity(name: str, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The fields that every answer of a node carries, and whatever else it should."""
    return (("X-Node", name), ("X-Worker", f"{name}/worker-1"), ("Cache-Status", "tocsin-l1; hit"), *more)
