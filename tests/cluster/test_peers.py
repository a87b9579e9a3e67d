"""Other people's caches as strategies of a cluster: which combinations there are, and one that really runs."""

from __future__ import annotations

import pytest

from cluster.contract.contracts import OWN
from cluster.errors import WrongInputError
from cluster.topology import PEERS, STRATEGIES, Topology


def test_every_strategy_and_every_peer_has_a_contract() -> None:
    """A row of the matrix without a promise could not be judged."""
    assert set(OWN) == {*STRATEGIES, *PEERS}


@pytest.mark.parametrize("wrong", [{"write_path": "write-behind"}, {"launcher": "compose"}])
def test_a_peer_is_refused_what_it_can_not_do(wrong: dict[str, str]) -> None:
    """The error names the strategy and what it takes instead."""
    with pytest.raises(WrongInputError, match="dogpile"):
        Topology(strategy="dogpile", **wrong)  # type: ignore[arg-type]


def test_a_peer_is_known_as_one() -> None:
    """And a strategy of our own is not."""
    assert Topology(strategy="cashews").peer == "cashews"
    assert Topology(strategy="ttl").peer == ""
