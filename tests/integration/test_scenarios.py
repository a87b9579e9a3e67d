"""Scenarios of our own, written with the plugin that users have: a cluster, a fault, traffic, a verdict."""

from __future__ import annotations

import pytest

from cluster.history.operation import Layer
from cluster.plugin.chaos import Chaos, NoEvidenceError
from cluster.plugin.history import History
from cluster.plugin.live import LiveCluster
from tests.until import until

pytestmark = pytest.mark.integration

FAULT_S = 4.0
SEEN_WITHIN_S = 5.0


@pytest.mark.tocsin(strategy="sequenced", nodes=2, workers=2)
def test_a_write_reaches_a_worker_that_held_the_old_value(tocsin_cluster: LiveCluster) -> None:
    """Read it into an L1, write through the edge, read there again."""
    name = sorted(tocsin_cluster.workers)[-1]
    until(
        lambda: tocsin_cluster.read(31, via=name).layer is Layer.L1,
        within_s=SEEN_WITHIN_S,
        waiting_for=f"{name} to answer from its own memory",
    )
    written = tocsin_cluster.write(31, price=7.5)
    until(
        lambda: tocsin_cluster.read(31, via=name).version == written,
        within_s=SEEN_WITHIN_S,
        waiting_for=f"{name} to show version {written}",
    )


@pytest.mark.tocsin(strategy="sequenced", nodes=2, workers=2)
def test_sequenced_keeps_its_word_while_a_node_is_cut_from_redis(
    tocsin_cluster: LiveCluster, chaos: Chaos, history: History
) -> None:
    """Nobody sees an older value for longer than the lease, though one node hears nothing."""
    with history.traffic(rate_per_s=200):
        history.wait(1)
        with chaos("partition", target="node-2") as plan:
            history.wait(FAULT_S)
        history.wait(1)
    assert plan.targets == ("node-2",)
    word = history.judge()
    assert word.valid, word


@pytest.mark.tocsin(strategy="sequenced", nodes=2, workers=2)
def test_a_fault_that_did_nothing_fails_its_test(tocsin_cluster: LiveCluster, chaos: Chaos) -> None:
    """Messages are to be dropped, and nobody sends any: there is nothing to see."""
    with pytest.raises(NoEvidenceError), chaos("drop-messages", target="node-1"):
        pass


@pytest.mark.tocsin(strategy="ttl", nodes=2, workers=2)
def test_a_cache_that_nobody_tells_is_convicted_of_not_being_linearizable(
    tocsin_cluster: LiveCluster, history: History
) -> None:
    """Its contract, the time to live, is kept; the checkers say what it costs."""
    with history.traffic("register", rate_per_s=200):
        history.wait(FAULT_S)
    word = history.judge()
    assert word.valid, word
    assert word.checkers.linearizable.found > 0
