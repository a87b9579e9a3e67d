"""What `strict` adds: a write waits until nobody serves what it makes untrue, or is not committed."""

from __future__ import annotations

import pytest
from tocsin import Policy, Strategy, Unavailable

from tests.tocsin.place import LEASE_S, NAMES, Place


def test_a_strict_write_waits_until_every_holder_has_applied_it() -> None:
    """† It costs no time when all nodes hear, and afterwards no node answers what was before."""
    place = Place(Strategy.STRICT)
    a, b = place.node(), place.node()
    a.read(b"old")
    pause = place.clock.pause

    def hear_meanwhile(seconds: float) -> None:
        assert a.cache.hearing().hears
        assert b.cache.hearing().hears
        pause(seconds)

    place.clock.pause = hear_meanwhile  # type: ignore[method-assign]
    before_s = place.clock.now()
    with b.cache.writing(NAMES):
        holders = place.server.tables.nodes.values()
        assert len(holders) == 2
        assert all(holder.applied >= place.server.position() for holder in holders)
    assert place.clock.now() - before_s < LEASE_S / 2
    assert a.read(b"new").value == b"new"


def test_a_dead_node_costs_a_strict_write_one_lease_and_the_next_none() -> None:
    """† It is waited for as long as it may serve, and then taken out of the list."""
    place = Place(Strategy.STRICT)
    dead, writer = place.node(), place.node()
    dead.read(b"old")
    dead.table.deaf = True
    before_s = place.clock.now()
    with writer.cache.writing(NAMES):
        assert place.clock.now() - before_s >= LEASE_S
    assert dead.read(b"new").value == b"new"
    assert "node-1" not in place.server.tables.nodes


def test_a_strict_write_that_cannot_be_announced_is_not_committed() -> None:
    """It raises before the block is entered; the application's transaction never begins."""
    place = Place(Strategy.STRICT)
    node = place.node()
    node.way.cut = True
    with pytest.raises(Unavailable), node.cache.writing(NAMES):
        pytest.fail("the block was entered")


def test_strict_never_shows_a_stale_value() -> None:
    """Whatever the policy says."""
    place = Place(Strategy.STRICT)
    node = place.node()
    policy = Policy(stale_s=60.0)
    node.read(b"old", policy)
    node.way.cut = True
    place.clock.move(LEASE_S)
    assert node.read(b"new", policy).value == b"new"
