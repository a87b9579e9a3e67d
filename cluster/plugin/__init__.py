"""A pytest plugin: your own scenario as a test, on a real cluster, with real faults and the examiner's checkers.

    pytest -p cluster.plugin test_mine.py            from the clone

    @pytest.mark.tocsin(strategy="sequenced", nodes=3)
    def test_nobody_sees_an_old_price_for_long(tocsin_cluster, chaos, history):
        with history.traffic(rate_per_s=200):
            with chaos("partition", target="node-2"):
                history.wait(4)
        assert history.judge().valid

`tocsin_cluster` is a cluster that is up and well: the clone's own where the test asks for nothing in particular and one
runs, else one that is started for the tests that want it, and ended after them. `chaos` injects any fault of `list
faults`, insists on evidence, and heals whatever happens. `history` drives traffic meanwhile, records what clients saw,
and judges it by the strategy's contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cluster.plugin.chaos import Chaos
from cluster.plugin.clusters import Clusters
from cluster.plugin.history import History
from cluster.plugin.live import LiveCluster
from cluster.topology import Topology

MARK = "tocsin"


def pytest_configure(config: pytest.Config) -> None:
    """Tell pytest of the marker."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(strategy=, write_path=, nodes=, workers=, launcher=, database_url=): the cluster that a test needs",
    )


@pytest.fixture(scope="session")
def tocsin_clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clusters]:
    """The clusters of this session; one is up at a time, and none afterwards."""
    clusters = Clusters(tmp_path_factory.mktemp("clusters"))
    try:
        yield clusters
    finally:
        clusters.close()


@pytest.fixture
def tocsin_cluster(request: pytest.FixtureRequest, tocsin_clusters: Clusters) -> Iterator[LiveCluster]:
    """A cluster as the test's marker wants it (`@pytest.mark.tocsin(strategy="ttl")`), up and well."""
    mark = request.node.get_closest_marker(MARK)
    if mark is not None and mark.args:
        raise pytest.UsageError(f"{request.node.nodeid}: the marker {MARK} takes names, such as strategy='ttl'")
    wished = Topology(**mark.kwargs, edge_port=0, trace=True, failpoints=True) if mark is not None else None
    with LiveCluster(tocsin_clusters.get(wished)) as live:
        yield live


@pytest.fixture
def history(request: pytest.FixtureRequest, tocsin_cluster: LiveCluster, tmp_path: Path) -> History:
    """What clients saw while a test drove traffic."""
    return History(tocsin_cluster.cluster, tmp_path / "history.jsonl", seed=_seed(request))


@pytest.fixture
def chaos(request: pytest.FixtureRequest, tocsin_cluster: LiveCluster, history: History) -> Iterator[Chaos]:
    """Faults, each with evidence, all healed when the test is over."""
    # Chance that anybody can repeat, and no secret: the same test hits the same targets.
    inflicted = Chaos(tocsin_cluster.cluster, history.note, Random(_seed(request)))  # noqa: S311
    try:
        yield inflicted
    finally:
        inflicted.heal()


def _seed(request: pytest.FixtureRequest) -> int:
    """The same test gets the same seed, in every session."""
    return sum(map(ord, request.node.nodeid))
