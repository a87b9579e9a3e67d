"""Every fault on a real cluster in containers, which keeps the same contract as plain processes, or is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cluster.fault.catalogue import FAULTS, fault_named
from cluster.fault.port import Cluster
from cluster.lifecycle import running_cluster
from tests.cluster.live_cluster import LiveCluster
from tests.fault.suite import holds

pytestmark = [pytest.mark.compose, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def cluster(image: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Two nodes of one worker, on PostgreSQL."""
    live = LiveCluster(tmp_path_factory.mktemp("faults") / "runs")
    live.do("up", "--launcher", "compose", "--nodes", "2", "--workers", "1", "--port", "0", "--failpoints", "--trace")
    try:
        run, launcher = running_cluster(live.runs)
        yield Cluster(run, launcher)
    finally:
        live.do("down")


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_takes_effect_and_is_undone_or_is_refused(cluster: Cluster, name: str) -> None:
    """What containers can't do has a reason that says so; everything else is done, proved and undone."""
    reason = fault_named(name).refusal(cluster)
    if reason is None:
        holds(cluster, name)
    else:
        assert "container" in reason or "compose" in reason
