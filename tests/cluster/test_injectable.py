"""The doctor on faults: asked of a small cluster, each with a reason, and nothing of it stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.doctor import Finding
from cluster.fault.catalogue import FAULTS
from cluster.injectable import CAME_UP, asked_of_a_small_cluster, summed_up
from cluster.topology import Topology

SMALL = Topology(nodes=2, workers=1, edge_port=0, failpoints=True, trace=True)


@pytest.mark.integration
def test_a_small_cluster_is_asked_for_every_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On SQLite all but two can be injected, and those two say why; its folder is gone."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    came, *faults = asked_of_a_small_cluster(SMALL, lambda _: None)
    assert came.ok, came.detail
    assert [each.what for each in faults] == [f"fault: {name}" for name in FAULTS]
    refused = {each.what: each.detail for each in faults if not each.ok}
    assert set(refused) == {"fault: partition-database", "fault: database-down"}
    assert all("SQLite is" in reason or "is SQLite" in reason for reason in refused.values())
    assert list(tmp_path.iterdir()) == []


def test_a_cluster_that_does_not_come_up_is_the_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the launcher's own reason; of faults nothing can be said then."""
    monkeypatch.setenv("TOCSIN_REDIS_SERVER", "/no/such/redis-server")
    (came,) = asked_of_a_small_cluster(SMALL, lambda _: None)
    assert (came.what, came.ok) == (CAME_UP, False)
    assert "/no/such/redis-server" in came.detail


def test_a_person_sees_what_can_not_be_done_line_by_line_and_the_rest_in_one() -> None:
    """All of them would be a page."""
    python = Finding("python", True, "3.11")
    found = summed_up(
        (
            python,
            Finding("fault: kill", True, "…"),
            Finding("fault: cut", False, "no links"),
            Finding("fault: stop", True, "…"),
        )
    )
    assert found == (
        python,
        Finding("faults", True, "2 of 3 can be injected: kill, stop"),
        Finding("fault: cut", False, "no links"),
    )
    assert summed_up((python,)) == (python,)
