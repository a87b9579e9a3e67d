"""Locks: one holder by name, an end, and a release by the owner alone; in memory and in Redis alike."""

from __future__ import annotations

from tests.contracts.world import World


def test_of_two_takers_one_has_the_lock(world: World) -> None:
    """By name: another name's lock is another lock. Who has it may not take it again."""
    here, there = world.locks(), world.locks()
    assert here.take("k", "a", 30.0)
    assert not there.take("k", "b", 30.0)
    assert not here.take("k", "a", 30.0)
    assert there.take("other", "b", 30.0)


def test_a_released_lock_is_free(world: World) -> None:
    """Releasing says whether there was anything to release."""
    here, there = world.locks(), world.locks()
    here.take("k", "a", 30.0)
    assert here.release("k", "a")
    assert not here.release("k", "a")
    assert there.take("k", "b", 30.0)


def test_a_lock_ends_by_itself(world: World) -> None:
    """Its holder may have died."""
    here, there = world.locks(), world.locks()
    here.take("k", "a", 0.05)
    world.until(lambda: there.take("k", "b", 30.0), "the first lock to end")


def test_a_late_release_leaves_the_lock_to_the_next_owner(world: World) -> None:
    """A takes it and is slow; it ends; B takes it; A releases: without the owner check C would load beside B."""
    a, b, c = world.locks(), world.locks(), world.locks()
    a.take("k", "a", 0.05)
    world.until(lambda: b.take("k", "b", 30.0), "A's lock to end")
    assert not a.release("k", "a")
    assert not c.take("k", "c", 30.0)
