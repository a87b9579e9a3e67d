"""What the sequencer gives and takes: lookups, fill tokens, entries, marks. Kept in memory and in Redis alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tocsin.entry import Loaded, Miss
from tocsin.sequencer import Busy, Given, Lying, Permitted, Put, Terms, Token, Writing

from tests.contracts.sequenced_world import KINDS, SequencedWorld, opened, put
from tests.until import until

KEY = "product:1"
NAME = "k:product:1"


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> Iterator[SequencedWorld]:
    """An empty world of each kind."""
    yield from opened(request)


def permitted(found: object) -> Token:
    """Return the token of a lookup that got one."""
    assert isinstance(found, Permitted)
    return found.token


def test_a_miss_gives_one_token_and_tells_everybody_else_to_wait(world: SequencedWorld) -> None:
    """Of two lookups of a missing key one may load, the other learns that somebody does."""
    client, other = world.client(), world.client()
    assert isinstance(client.lookup(KEY, "a"), Permitted)
    assert isinstance(other.lookup(KEY, "b"), Busy)


def test_a_fill_is_found_by_all_with_the_position_of_the_lookup_that_finds_it(world: SequencedWorld) -> None:
    """A stored value is given to everybody; the position is that of the finding, which is what L1 may take as base."""
    client, other = world.client(), world.client()
    token = permitted(client.lookup(KEY, "a"))
    client.announce("w", ["k:product:2"])
    assert client.fill(put("one", tags=("toys",)), token).stored
    found = other.lookup(KEY, "b")
    assert isinstance(found, Given)
    assert (found.entry.value, found.entry.version, found.entry.tags) == (b"one", 1, ("toys",))
    assert found.position.sequence == token.base.sequence + 1
    assert 29 < found.entry.ttl_s <= 30


def test_a_negative_value_is_a_value(world: SequencedWorld) -> None:
    """None is stored and found as None: known not to be there."""
    client = world.client()
    token = permitted(client.lookup(KEY, "a"))
    assert client.fill(Put(KEY, Loaded(None), (), 30.0), token).stored
    found = client.lookup(KEY, "b")
    assert isinstance(found, Given)
    assert found.entry.value is None


@pytest.mark.parametrize("name", [NAME, "t:toys", "*"])
def test_a_fill_that_was_overtaken_is_refused(world: SequencedWorld, name: str) -> None:
    """Hazards 1 and 24: load, write of the key, its tag or everything, then the fill: the old value is not stored."""
    client, writer = world.client(), world.client()
    token = permitted(client.lookup(KEY, "a"))
    announced = writer.announce("w", [name])
    writer.finish("w", [name], announced=announced.position)
    kept = client.fill(put("old", tags=("toys",)), token)
    assert not kept.stored
    assert kept.position.sequence == token.base.sequence + 2, "the answer's watermark is that of the fill's reply"
    assert isinstance(client.lookup(KEY, "b"), Permitted)


@pytest.mark.parametrize("name", [NAME, "t:toys", "*"])
def test_an_entry_is_not_given_after_its_invalidation(world: SequencedWorld, name: str) -> None:
    """An entry whose key, tag or `*` was invalidated is no hit, and no expired value either."""
    client, writer = world.client(), world.client()
    client.fill(put("old", tags=("toys",), stale_s=30), permitted(client.lookup(KEY, "a")))
    writer.announce("w", [name])
    writer.finish("w", [name])
    assert isinstance(client.lookup(KEY, "b"), Permitted)
    waiting = client.lookup(KEY, "c")
    assert isinstance(waiting, Busy)
    assert waiting.expired is None


@pytest.mark.parametrize("name", [NAME, "*"])
def test_while_a_writer_is_under_way_its_readers_keep_nothing(world: SequencedWorld, name: str) -> None:
    """Between announce and finish a lookup of the key says so; afterwards it permits a load."""
    client = world.client()
    client.announce("w", [name])
    assert isinstance(client.lookup(KEY, "a"), Writing)
    client.finish("w", [name])
    assert isinstance(client.lookup(KEY, "a"), Permitted)


def test_no_fill_is_taken_while_a_tag_of_the_value_is_being_written(world: SequencedWorld) -> None:
    """† A writer of a tag refuses fills, also one whose token is newer than its announcement: it may not be over."""
    client = world.client()
    client.announce("w", ["t:toys"])
    token = permitted(client.lookup(KEY, "a"))
    assert not client.fill(put("old", tags=("toys",)), token).stored


def test_one_writers_end_does_not_lift_anothers(world: SequencedWorld) -> None:
    """† C8: two writers of a key; when the first has finished, the second still keeps readers from keeping."""
    client = world.client()
    client.announce("w1", [NAME])
    client.announce("w2", [NAME])
    client.finish("w1", [NAME])
    assert isinstance(client.lookup(KEY, "a"), Writing)
    client.finish("w2", [NAME])
    assert isinstance(client.lookup(KEY, "a"), Permitted)


def test_a_writer_that_died_is_waited_for_until_its_deadline(world: SequencedWorld) -> None:
    """Nobody finishes; after the writer's time loads are permitted again."""
    client = world.client(Terms(writer_s=0.2))
    client.announce("w", [NAME])
    assert isinstance(client.lookup(KEY, "a"), Writing)
    until(lambda: isinstance(client.lookup(KEY, "a"), Permitted), within_s=5, waiting_for="the writer's deadline")


def test_a_token_is_its_owners_at_its_base_only(world: SequencedWorld) -> None:
    """† Owner, epoch and base are compared: an owner's earlier token, replaced by a later, fills nothing."""
    client = world.client(Terms(token_s=0.05))
    early = permitted(client.lookup(KEY, "a"))
    client.announce("w", ["k:product:2"])
    later: list[Token] = []

    def again() -> bool:
        found = client.lookup(KEY, "a")
        if isinstance(found, Permitted):
            later.append(found.token)
        return bool(later)

    until(again, within_s=5, waiting_for="the first token to expire")
    assert not client.fill(put("old"), early).stored
    assert not client.fill(put("forged"), Token("b", later[0].base)).stored


def test_a_refused_fill_gives_its_token_back(world: SequencedWorld) -> None:
    """The next reader may load at once, instead of waiting for a token that will never be used."""
    client = world.client()
    token = permitted(client.lookup(KEY, "a"))
    client.announce("w", ["t:toys"])
    client.finish("w", ["t:toys"])
    assert not client.fill(put("old", tags=("toys",)), token).stored
    assert isinstance(client.lookup(KEY, "b"), Permitted)


def test_an_evicted_token_fills_nothing(world: SequencedWorld) -> None:
    """Hazard 17: the token is positive evidence; one that is not there any more is void."""
    client = world.client()
    token = permitted(client.lookup(KEY, "a"))
    world.evict(KEY)
    assert not client.fill(put("old"), token).stored


def test_an_expired_value_is_offered_to_those_who_would_have_to_wait(world: SequencedWorld) -> None:
    """Expired and invalidated are different: whoever would wait for the loader is offered the expired value."""
    client = world.client()
    client.fill(put("old", ttl_s=0.05, stale_s=30), permitted(client.lookup(KEY, "a")))
    until(lambda: isinstance(client.lookup(KEY, "b"), Permitted), within_s=5, waiting_for="the entry to expire")
    busy = client.lookup(KEY, "c")
    assert isinstance(busy, Busy)
    assert busy.expired is not None
    assert busy.expired.value == b"old"
    assert busy.expired.ttl_s <= 0


def test_a_peek_gives_what_a_lookup_would_and_no_token(world: SequencedWorld) -> None:
    """Looking leaves no trace: the next lookup may load."""
    client = world.client()
    assert isinstance(client.peek([KEY])[0], Miss)
    client.fill(put("one"), permitted(client.lookup(KEY, "a")))
    found = client.peek([KEY])[0]
    assert isinstance(found, Given)
    assert found.entry.value == b"one"


def test_sequences_are_gapless_and_the_log_holds_each(world: SequencedWorld) -> None:
    """Announce and finish take one number each; the log tells them in order, from after any of them."""
    client, other = world.client(), world.client()
    start = client.position()
    client.announce("w", [NAME, "t:toys"])
    other.announce("x", ["*"])
    client.finish("w", [NAME, "t:toys"])
    log = other.log(start.sequence)
    assert [message.position.sequence for message in log.messages] == [start.sequence + n for n in (1, 2, 3)]
    assert [message.names for message in log.messages] == [(NAME, "t:toys"), ("*",), (NAME, "t:toys")]
    assert log.position == other.position()
    assert {message.position.epoch for message in log.messages} == {start.epoch}
    assert [message.position for message in other.log(start.sequence + 2).messages] == [log.position]


def test_a_glimpse_finds_an_entry_with_its_own_base_and_the_position_of_now(world: SequencedWorld) -> None:
    """Its names tell who must not have invalidated it; what lies nowhere is a miss."""
    client = world.client()
    token = permitted(client.lookup(KEY, "a"))
    assert client.fill(put("one", tags=("toys",)), token).stored
    position = client.finish("w", ["k:product:2", "t:tools"]).position
    seen = client.glimpse([KEY, "product:2"])
    found = seen.entries[0]
    assert isinstance(found, Lying)
    assert (found.entry.value, found.entry.tags, found.names) == (b"one", ("toys",), ("t:toys",))
    assert (found.base, seen.position, seen.entries[1]) == (token.base, position, Miss("uri-miss"))
    assert 29 < found.entry.ttl_s <= 30


@pytest.mark.parametrize("name", [NAME, "t:toys", "*"])
def test_a_glimpse_has_the_position_of_whatever_made_its_entry_untrue(world: SequencedWorld, name: str) -> None:
    """Who has applied that position knows that the entry is not to be given, if it is there at all."""
    client = world.client()
    assert client.fill(put("one", tags=("toys",)), permitted(client.lookup(KEY, "a"))).stored
    announced = client.announce("w", [name]).position
    seen = client.glimpse([KEY])
    assert seen.position == announced
    assert isinstance(seen.entries[0], Miss if name == NAME else Lying)


def test_a_glimpse_tells_the_epoch_that_is(world: SequencedWorld) -> None:
    """An entry of before it has a base of another, and no table of the new one takes it."""
    client = world.client()
    assert client.fill(put("one"), permitted(client.lookup(KEY, "a"))).stored
    before = client.position()
    world.lose("tags")
    client.begin_epoch(0)
    seen = client.glimpse([KEY])
    assert seen.position.epoch > before.epoch
    (found,) = seen.entries
    assert found is None or (isinstance(found, Lying) and found.base.epoch == before.epoch)


def test_a_glimpse_finds_nothing_that_has_expired(world: SequencedWorld) -> None:
    """Also where it is kept for longer, for those who may show an expired one."""
    client = world.client()
    token = permitted(client.lookup(KEY, "a"))
    assert client.fill(Put(KEY, Loaded(b"one"), (), 0.02, stale_s=30.0), token).stored
    gone = (Miss("uri-miss"),)
    until(lambda: client.glimpse([KEY]).entries == gone, within_s=5, waiting_for="the entry to expire")
