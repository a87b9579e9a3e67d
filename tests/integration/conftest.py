"""The cluster under test: the one that runs in this clone, else one of the tests' own, mended after every test."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from cluster.plugin import chaos, history, tocsin_cluster, tocsin_clusters
from tests.integration.live import Cluster

__all__ = ["chaos", "history", "tocsin_cluster", "tocsin_clusters"]  # the plugin's fixtures, for the scenarios


@pytest.fixture(scope="session")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The clone's running cluster, left running afterwards; or one started here and taken down again."""
    here = Cluster()
    asked = here.command("status", "--json", check=False)
    if asked.returncode == 0 and json.loads(asked.stdout)["nodes"]:
        yield here
        return
    own = Cluster(runs=tmp_path_factory.mktemp("runs"))
    own.command("up", "--port", "0")
    try:
        yield own
    finally:
        own.command("down")


@pytest.fixture
def cluster(running_cluster: Cluster) -> Iterator[Cluster]:
    """A healthy cluster; whatever the test breaks is mended behind it."""
    if not running_cluster.ready():
        running_cluster.mend()
    yield running_cluster
    running_cluster.mend()
