"""Tokens that are given back, and entries that are loaded before their end; in memory and in Redis alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tocsin.entry import Loaded
from tocsin.message import tag_name
from tocsin.sequencer import Busy, Given, Permitted, Put, Terms, Token, Writing

from tests.contracts.sequenced_world import KINDS, SequencedWorld, opened, put
from tests.until import until

KEY, NAME = "product:1", "k:product:1"


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> Iterator[SequencedWorld]:
    """An empty world of each kind."""
    yield from opened(request)


def token_of(found: object) -> Token:
    """Return the token of a permission."""
    assert isinstance(found, Permitted)
    return found.token


def test_a_token_that_is_given_back_is_free_at_once(world: SequencedWorld) -> None:
    """The load failed: the next reader need not wait for the token's end, and its own fill is kept."""
    client, other = world.client(), world.client()
    token = token_of(client.lookup(KEY, "a"))
    assert isinstance(other.lookup(KEY, "b"), Busy)
    assert client.release(KEY, token)
    assert other.fill(put("new"), token_of(other.lookup(KEY, "b"))).stored


def test_only_its_owner_gives_a_token_back(world: SequencedWorld) -> None:
    """A loads for longer than a token lasts, B takes the next one, A fails: without the check B's fill is refused."""
    a = world.client(Terms(token_s=0.05))
    early = token_of(a.lookup(KEY, "a"))
    b = world.client()
    later: list[Token] = []

    def permitted() -> bool:
        found = b.lookup(KEY, "b")
        later.extend([found.token] if isinstance(found, Permitted) else [])
        return bool(later)

    until(permitted, within_s=5, waiting_for="A's token to end")
    assert not a.release(KEY, early)
    assert isinstance(b.lookup(KEY, "c"), Busy), "C would load beside B"
    assert b.fill(put("B's"), later[0]).stored


def test_what_was_invalidated_has_no_token_to_give_back(world: SequencedWorld) -> None:
    """An invalidation took the token; a late release finds nothing, or the next one, and leaves it."""
    client = world.client()
    token = token_of(client.lookup(KEY, "a"))
    client.announce("w", [NAME])
    client.finish("w", [NAME])
    assert not client.release(KEY, token)


def test_a_refresh_has_a_token_while_others_are_given_the_entry(world: SequencedWorld) -> None:
    """An entry with at most so much left counts as expired, for who says so, and is given to all others."""
    client, other = world.client(), world.client()
    client.fill(put("old", ttl_s=30), token_of(client.lookup(KEY, "a")))
    assert isinstance(client.lookup(KEY, "b", 1.0), Given), "it has more than a second left"
    found = client.lookup(KEY, "b", 60.0)
    token = token_of(found)
    assert isinstance(found, Permitted)
    assert found.expired is not None
    assert found.expired.value == b"old"
    assert isinstance(other.lookup(KEY, "c"), Given)
    assert isinstance(other.lookup(KEY, "c", 60.0), Busy), "one refreshes"
    assert client.fill(put("new", ttl_s=120), token).stored
    given = other.lookup(KEY, "c", 60.0)
    assert isinstance(given, Given), "who found the old entry due finds the new one, and loads nothing"
    assert given.entry.value == b"new"


@pytest.mark.parametrize("name", [NAME, "t:toys", "*"])
def test_an_invalidation_voids_a_refresh(world: SequencedWorld, name: str) -> None:
    """Hazard 29: a value that began to load before an invalidation is not kept after it, refreshed or not."""
    client = world.client()
    client.fill(put("old", tags=("toys",)), token_of(client.lookup(KEY, "a")))
    token = token_of(client.lookup(KEY, "b", 60.0))
    client.announce("w", [name])
    if name in (NAME, "*"):
        assert isinstance(client.lookup(KEY, "c", 60.0), Writing)
    assert not client.fill(put("old again", tags=("toys",)), token).stored
    client.finish("w", [name])
    assert isinstance(client.lookup(KEY, "d"), Permitted)


def test_an_entry_remembers_how_long_its_load_took(world: SequencedWorld) -> None:
    """XFetch's δ travels with the entry, to whichever process looks at it; 125 ms here."""
    client = world.client()
    loaded = Loaded(b"slow", 1, ("toys",), load_s=0.125)
    client.fill(Put(KEY, loaded, (tag_name("toys"),), 30.0), token_of(client.lookup(KEY, "a")))
    given = world.client().lookup(KEY, "b")
    assert isinstance(given, Given)
    assert given.entry.load_s == 0.125


def test_an_expired_entry_is_offered_to_who_may_load(world: SequencedWorld) -> None:
    """Should the load fail, it may be shown, labelled; it was never invalidated."""
    client = world.client()
    client.fill(put("old", ttl_s=0.05, stale_s=30), token_of(client.lookup(KEY, "a")))
    found: list[Permitted] = []

    def permitted() -> bool:
        answer = client.lookup(KEY, "b")
        found.extend([answer] if isinstance(answer, Permitted) else [])
        return bool(found)

    until(permitted, within_s=5, waiting_for="the entry to expire")
    assert found[0].expired is not None
    assert found[0].expired.value == b"old"
    assert found[0].expired.ttl_s <= 0
