"""Epochs, runs and nodes: what happens when the server forgets, remembers too much, or is somebody else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tocsin.entry import Loaded
from tocsin.message import Kind, message_of
from tocsin.position import Position
from tocsin.sequencer import Given, Permitted, Put, Terms, Token, Writing

from tests.contracts.sequenced_world import (
    KINDS,
    RESTARTABLE,
    TERMS,
    RedisSequencedWorld,
    SequencedWorld,
    opened,
    put,
)
from tests.until import until

KEY, NAME = "product:1", "k:product:1"
STRICT = Terms(writer_s=30.0, strict=True)


@pytest.fixture(params=KINDS)
def world(request: pytest.FixtureRequest) -> Iterator[SequencedWorld]:
    """An empty world of each kind."""
    yield from opened(request)


@pytest.fixture(params=RESTARTABLE)
def mortal(request: pytest.FixtureRequest) -> Iterator[SequencedWorld]:
    """An empty world whose server may be restarted."""
    yield from opened(request)


def permitted(found: object) -> Token:
    """Return the token of a lookup that got one."""
    assert isinstance(found, Permitted)
    return found.token


@pytest.mark.parametrize("from_snapshot", [False, True])
def test_a_restart_begins_a_later_epoch(mortal: SequencedWorld, from_snapshot: bool) -> None:
    """Empty or from a snapshot: the next step of any client finds another epoch, ordered after the one before."""
    client, other = mortal.client(), mortal.client()
    before = client.position()
    mortal.save()
    client.begin_epoch(0)
    mortal.restart(from_snapshot=from_snapshot)
    client.begin_epoch(before.epoch)
    after = client.position()
    assert after.epoch > before.epoch
    assert other.position() == after


def test_what_a_snapshot_brings_back_is_void(mortal: SequencedWorld) -> None:
    """C9: an entry and a token of before the restart are there again: the one is no hit, the other no permission."""
    client = mortal.client()
    client.fill(put("old"), permitted(client.lookup(KEY, "a")))
    token = permitted(client.lookup("product:2", "b"))
    mortal.save()
    mortal.restart(from_snapshot=True)
    assert isinstance(client.lookup(KEY, "c"), Permitted)
    kept = client.fill(Put("product:2", Loaded(b"old"), (), 30.0), token)
    assert not kept.stored
    assert isinstance(client.lookup("product:2", "d"), Permitted), "a void token must not keep others waiting"


def test_a_write_through_does_not_survive_a_restart(mortal: SequencedWorld) -> None:
    """† C5: the writer's entry is back with the snapshot, but of another epoch; its value is not kept."""
    client = mortal.client()
    announced = client.announce("w", [NAME])
    mortal.save()
    mortal.restart(from_snapshot=True)
    ended = client.finish("w", [NAME], announced=announced.position, puts=[put("v1")])
    assert ended.stored == ()
    assert ended.position.epoch != announced.position.epoch


def test_a_writer_that_came_back_with_the_snapshot_is_waited_for(mortal: SequencedWorld) -> None:
    """† A live writer counts whatever its epoch: it may still commit."""
    client = mortal.client()
    client.announce("w", [NAME])
    mortal.save()
    mortal.restart(from_snapshot=True)
    assert isinstance(client.lookup(KEY, "a"), Writing)


def test_strict_keys_are_not_kept_while_writers_may_be_forgotten(mortal: SequencedWorld) -> None:
    """† D2: for one writer deadline after a new epoch a strict namespace gives nothing and takes nothing."""
    client = mortal.client(STRICT)
    assert isinstance(client.lookup(KEY, "a"), Writing)
    announced = client.announce("w", [NAME], strict=True)
    assert announced.young, "holders of leases may be missing from the list"
    assert client.finish("w", [NAME], announced=announced.position, puts=[put("v1")]).stored == ()
    brief = mortal.client(Terms(writer_s=0.05, strict=True))
    until(lambda: isinstance(brief.lookup(KEY, "a"), Permitted), within_s=5, waiting_for="the epoch to be old enough")
    assert not brief.announce("w", [NAME]).young


@pytest.mark.parametrize("name", ["epoch", "seq", "tags"])
def test_a_part_of_the_state_that_is_missing_begins_a_new_epoch(world: SequencedWorld, name: str) -> None:
    """† Hazard 17: every step checks the sentinel; a value whose marks were lost is not given."""
    client, other = world.client(), world.client()
    client.fill(put("old"), permitted(client.lookup(KEY, "a")))
    before = client.position()
    world.lose(name)
    assert isinstance(other.lookup(KEY, "b"), Permitted)
    assert client.position().epoch != before.epoch


def test_flushall_begins_a_new_epoch_though_the_run_goes_on(world: SequencedWorld) -> None:
    """† FLUSHALL keeps the run id and the scripts: the missing state is what tells."""
    client = world.client()
    token = permitted(client.lookup(KEY, "a"))
    world.flush()
    assert not client.fill(put("old"), token).stored
    assert client.position().epoch != token.base.epoch


def test_of_all_who_find_an_epoch_lost_one_begins_the_next(world: SequencedWorld) -> None:
    """Compare and set: those who come later find the one that was begun."""
    clients = [world.client() for _ in range(3)]
    before = clients[0].position()
    begun = [client.begin_epoch(before.epoch) for client in clients]
    assert len(set(begun)) == 1
    assert begun[0].epoch > before.epoch


def test_an_epoch_is_raised_above_one_that_a_node_remembers(world: SequencedWorld) -> None:
    """† Epochs are ordered: after an empty restart the counter is lifted above what any node has seen."""
    client = world.client()
    remembered = client.position().epoch + (1000 << 32)
    assert client.begin_epoch(remembered).epoch > remembered
    assert client.position().epoch > remembered


def test_marks_of_another_epoch_refuse_nothing(world: SequencedWorld) -> None:
    """A new epoch begins with a clean hash of tags, and goes on counting."""
    client = world.client()
    client.finish("w", ["t:toys"])
    before = client.position()
    after = client.begin_epoch(before.epoch)
    assert after.sequence == before.sequence
    assert client.fill(put("new", tags=("toys",)), permitted(client.lookup(KEY, "a"))).stored
    assert isinstance(client.lookup(KEY, "b"), Given)
    assert client.log(0).messages == ()


def test_a_beat_enters_the_node_before_a_later_announcement(world: SequencedWorld) -> None:
    """† Registration and reading are one step: a writer announced after the beat finds the holder and how far it is."""
    client = world.client()
    position = client.beat("node-1", 7, Position(5, 3))
    announced = client.announce("w", [NAME])
    assert announced.holders["node-1"].beats == 7
    assert announced.holders["node-1"].applied == Position(5, 3)
    assert announced.position.sequence == position.sequence + 1
    client.acknowledge("node-1", 7, announced.position)
    assert client.holders()["node-1"].applied == announced.position


def test_a_holder_is_retired_only_if_it_has_not_beaten_since(world: SequencedWorld) -> None:
    """† Whoever waited a whole lease takes the silent node out; one that has beaten meanwhile stays."""
    client = world.client()
    client.beat("node-1", 7, Position())
    client.beat("node-1", 8, Position())
    assert not client.retire("node-1", 7)
    assert client.retire("node-1", 8)
    assert client.holders() == {}


def test_a_subscriber_is_told_what_the_log_holds(world: SequencedWorld) -> None:
    """Subscribe, then write: the text that is told is the message of the log; a canary is told and not logged."""
    client, other = world.client(), world.client()
    subscription = client.subscribe()
    other.announce("w", [NAME, "*"], strict=True)
    told = until(lambda: subscription.receive(0.1), within_s=5, waiting_for="the invalidation") or ""
    (logged,) = client.log(0).messages
    assert message_of(told) == logged
    assert logged.kind is Kind.STRICT
    client.beat("node-1", 9, Position(), canary="node-1")
    told = until(lambda: subscription.receive(0.1), within_s=5, waiting_for="the canary") or ""
    assert message_of(told).kind is Kind.CANARY
    assert message_of(told).names == ("node-1",)
    assert len(client.log(0).messages) == 1
    subscription.close()


def test_the_log_is_capped(world: SequencedWorld) -> None:
    """It holds about as many messages as agreed, the newest; what is missing shows by the first sequence."""
    client = world.client(Terms(log_length=100))
    for number in range(400):
        client.announce(f"w{number}", [NAME])
    log = client.log(0)
    assert 100 <= len(log.messages) < 400
    assert log.messages[0].position.sequence > 1
    assert log.messages[-1].position == log.position


def test_a_server_that_never_knew_the_script_is_asked_who_it_is(redis_world: RedisSequencedWorld) -> None:
    """† SCRIPT FLUSH: NOSCRIPT, the same run, the same epoch: nothing is lost."""
    client = redis_world.client(TERMS)
    client.fill(put("value"), permitted(client.lookup(KEY, "a")))
    redis_world.redis().script_flush()
    assert isinstance(client.lookup(KEY, "b"), Given)


@pytest.fixture
def redis_world(request: pytest.FixtureRequest) -> Iterator[RedisSequencedWorld]:
    """A world in a real Redis."""
    world = RedisSequencedWorld(request.getfixturevalue("redis_for_contracts"))
    yield world
    world.close()


def test_state_has_no_time_to_live_and_the_rest_has_one(redis_world: RedisSequencedWorld) -> None:
    """Under `volatile-*` entries and tokens may be evicted, the state may not. All keys share the hash tag."""
    client = redis_world.client()
    client.beat("node-1", 1, Position())
    client.fill(put("value", tags=("toys",)), permitted(client.lookup(KEY, "a")))
    client.lookup("product:2", "b")
    client.announce("w", ["t:other"])
    redis, prefix = redis_world.redis(), redis_world.prefix
    keys = [key if isinstance(key, str) else key.decode() for key in redis.keys(f"{prefix}*")]
    lives = {key.removeprefix(prefix): redis.ttl(key) for key in keys}
    assert {key for key, ttl in lives.items() if ttl > 0} == {"entry:product:1", "fill:product:2"}
    assert {key for key, ttl in lives.items() if ttl == -1} == {
        *("epoch", "seq", "log", "tags", "nodes", "writing", "writers:t:other")
    }


def test_foreign_bytes_are_kept_from_everybody(redis_world: RedisSequencedWorld) -> None:
    """An entry with a good head and a body that is not ours is neither given nor an error."""
    client = redis_world.client()
    client.fill(put("value"), permitted(client.lookup(KEY, "a")))
    redis = redis_world.redis()
    name = f"{redis_world.prefix}entry:{KEY}"
    raw = redis.get(name)
    assert isinstance(raw, bytes)
    redis.set(name, raw.partition(b"\n")[0] + b"\n\x80\x04rubbish", keepttl=True)
    assert isinstance(client.lookup(KEY, "b"), Writing)
