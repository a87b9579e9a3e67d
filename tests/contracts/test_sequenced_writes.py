"""What a finish may keep: the value of a write-through, unless anybody else wrote (D1); in memory and in Redis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tocsin.sequencer import Announcement, Given, Permitted, Terms, Writing

from tests.contracts.sequenced_world import KINDS, Client, SequencedWorld, opened, put
from tests.until import until

KEY, NAME, TAG = "product:1", "k:product:1", "t:toys"


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> Iterator[SequencedWorld]:
    """An empty world of each kind."""
    yield from opened(request)


def finish(client: Client, writer: str, announced: Announcement, value: str, names: tuple[str, ...] = (NAME,)) -> bool:
    """Finish a write-through; return whether its value was kept."""
    ended = client.finish(writer, names, announced=announced.position, puts=[put(value, tags=("toys",))])
    return ended.stored == (KEY,)


def test_the_value_of_a_lone_writer_is_kept_at_its_own_end(world: SequencedWorld) -> None:
    """Its base is the finish's own sequence, so the invalidation that carries it does not refuse it."""
    client = world.client()
    announced = client.announce("w", [NAME])
    assert isinstance(client.lookup(KEY, "a"), Writing)
    assert finish(client, "w", announced, "one")
    found = client.lookup(KEY, "a")
    assert isinstance(found, Given)
    assert found.entry.value == b"one"
    assert found.position.sequence == announced.position.sequence + 1


@pytest.mark.parametrize("second", [NAME, TAG, "*"])
def test_a_writer_that_came_and_went_meanwhile_leaves_nothing_of_the_first(world: SequencedWorld, second: str) -> None:
    """† D1, D1b: W1 announces, commits v1; W2 announces, commits v2, finishes; W1's v1 must not be stored."""
    client = world.client()
    first = client.announce("w1", [NAME])
    client.announce("w2", [second])
    client.finish("w2", [second])
    assert not finish(client, "w1", first, "v1")
    assert isinstance(client.lookup(KEY, "a"), Permitted)


@pytest.mark.parametrize("second", [NAME, TAG, "*"])
def test_two_writers_at_once_keep_neither_value(world: SequencedWorld, second: str) -> None:
    """† While another writer of the key, of a tag of the value or of everything is under way, nothing is kept."""
    client = world.client()
    client.announce("w2", [second])
    first = client.announce("w1", [NAME])
    assert not finish(client, "w1", first, "v1")


def test_the_relays_repetition_of_an_older_write_refuses_the_value(world: SequencedWorld) -> None:
    """† The key's `last` must be the writer's own announcement; a finish repeated in between is not told apart."""
    client = world.client()
    first = client.announce("w1", [NAME])
    client.finish("w0", [NAME])
    assert not finish(client, "w1", first, "v1")


def test_a_writer_that_expired_still_stands_in_the_way(world: SequencedWorld) -> None:
    """† D1c: W1 may have committed after W2 and be late only with its finish, beyond its deadline: W2 keeps nothing."""
    client = world.client(Terms(writer_s=0.2))
    client.announce("w1", [NAME, "k:probe"])
    client = world.client()
    second = client.announce("w2", [NAME])
    until(lambda: not isinstance(client.lookup("probe", "a"), Writing), within_s=5, waiting_for="W1's deadline")
    assert not finish(client, "w2", second, "v1")


def test_an_expired_writer_keeps_nothing_of_its_own(world: SequencedWorld) -> None:
    """A writer past its deadline may have been overtaken by readers and writers that did not wait for it."""
    client = world.client(Terms(writer_s=0.05))
    announced = client.announce("w", [NAME])
    until(lambda: not isinstance(client.lookup(KEY, "a"), Writing), within_s=5, waiting_for="the writer's deadline")
    assert not finish(client, "w", announced, "v1")


def test_an_announcement_of_the_name_forgets_expired_writers(world: SequencedWorld) -> None:
    """† Only an announcement does: it moves `last`, which refuses whatever the forgotten ids would have refused."""
    client = world.client(Terms(writer_s=0.05))
    client.announce("crashed", [NAME])
    until(lambda: not isinstance(client.lookup(KEY, "a"), Writing), within_s=5, waiting_for="the writer's deadline")
    client = world.client()
    announced = client.announce("w", [NAME])
    assert finish(client, "w", announced, "v2")


def test_a_sweep_forgets_names_whose_writers_have_all_expired(world: SequencedWorld) -> None:
    """What a crashed writer left is removed, but not while anybody else writes the name."""
    client = world.client(Terms(writer_s=0.05))
    client.announce("crashed", [NAME])
    client.announce("crashed", [TAG])
    patient = world.client()
    patient.announce("alive", [TAG])
    until(client.sweep, within_s=5, waiting_for="the crashed writer to be swept")
    assert client.sweep() == 0
    first = patient.announce("w", [NAME])
    assert not finish(patient, "w", first, "v1"), "the tag's living writer was forgotten"


def test_a_finish_may_be_repeated_by_anybody(world: SequencedWorld) -> None:
    """The relay repeats it without knowing the announcement: it costs a sequence, and keeps nothing."""
    client = world.client()
    announced = client.announce("w", [NAME])
    assert finish(client, "w", announced, "one")
    again = client.finish("w", [NAME], puts=[put("one")])
    assert again.stored == ()
    assert again.position.sequence == announced.position.sequence + 2
    assert isinstance(client.lookup(KEY, "a"), Permitted)


def test_a_write_through_of_another_tag_names_its_own(world: SequencedWorld) -> None:
    """Marks that the write's own announcement made do not stand in the way of its value."""
    client = world.client()
    announced = client.announce("w", [NAME, TAG])
    assert finish(client, "w", announced, "one", names=(NAME, TAG))
    assert isinstance(client.lookup(KEY, "a"), Given)
