"""Shared values: a dictionary of all processes, whose absences are not None and whose late values are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from tocsin import Cache, CacheSettings, Loaded, Names, Strategy, Unavailable, connect
from tocsin.clock import SystemClock
from tocsin.codec import MsgspecCodec
from tocsin.redis.connection import RedisConnection
from tocsin.redis.values import RedisShelf
from tocsin.values import Absent, Present, Put, Values

from tests.redis_server import RedisServer
from tests.rims.conftest import WITHIN_S
from tests.until import until


@pytest.fixture
def settings(redis: RedisServer) -> CacheSettings:
    """A namespace of the test's own; L1 believes for an hour what nobody contradicts."""
    return CacheSettings(
        redis_url=redis.url, node="node", namespace=uuid4().hex, strategy=Strategy.TTL, l1_ttl_s=3600, l2_ttl_s=3600
    )


@pytest.fixture
def cache(settings: CacheSettings) -> Iterator[Cache]:
    """The cache in which copies of the values lie."""
    cache = connect(settings)
    yield cache
    cache.stop()


@pytest.fixture
def shelf(settings: CacheSettings) -> Iterator[RedisShelf]:
    """Where the values lie."""
    clock = SystemClock()
    shelf = RedisShelf(RedisConnection(settings, clock), "test", clock=clock)
    yield shelf
    shelf.close()


@pytest.fixture
def values(cache: Cache, shelf: RedisShelf) -> Values:
    """The values under test."""
    return Values(cache=cache, shelf=shelf, codec=MsgspecCodec())


@pytest.fixture
def lying(redis: RedisServer, settings: CacheSettings) -> Callable[[str], list[bytes]]:
    """Tells what lies in Redis of one kind."""

    def lying(kind: str) -> list[bytes]:
        with redis.client() as client:
            return list(client.scan_iter(f"tocsin:{{{settings.namespace}}}:{kind}:*"))

    return lying


def test_nothing_is_not_none(values: Values) -> None:
    """None is a value; nothing is `Absent`."""
    assert isinstance(values.get("key"), Absent)
    values.set("key", None)
    assert values.get("key") is None
    first, second = values.get_many(["key", "other"])
    assert first is None
    assert isinstance(second, Absent)


def test_a_copy_answers_without_redis(values: Values, redis: RedisServer) -> None:
    """That is what it is for; what has no copy is not known."""
    values.set("key", 1)
    assert values.get("key") == 1
    redis.stop()
    assert values.get("key") == 1
    with pytest.raises(Unavailable):
        values.get("other")
    with pytest.raises(Unavailable):
        values.set("key", 2)


def test_a_set_after_an_absence_is_refused_if_somebody_deleted_since(values: Values) -> None:
    """Also if there was nothing to delete: the deletion says that what was read before is old."""
    seen = values.look("key")
    assert values.delete("key") is False
    assert values.set("key", "old", after=seen) is False
    assert values.set("key", "new", after=values.look("key")) is True
    assert values.get("key") == "new"


def test_a_set_after_an_absence_is_refused_if_everything_was_cleared_since(values: Values) -> None:
    """Clearing is deleting every key, those without a value too."""
    seen = values.look("key")
    values.clear()
    assert values.set("key", "old", after=seen) is False


def test_a_set_after_an_absence_stands_if_somebody_else_set_meanwhile(values: Values) -> None:
    """Nobody said that anything is old; the last one wins, as everywhere."""
    seen = values.look("key")
    values.set("key", "theirs")
    assert values.set("key", "ours", after=seen) is True
    assert values.get("key") == "ours"


def test_writing_back_what_was_read_prolongs_it_only_if_it_is_there_still(values: Values) -> None:
    """Another value is a new one, and is set."""
    values.set("key", "one")
    seen = values.look("key")
    assert isinstance(seen, Present)
    assert values.set("key", "one", 60, after=seen) is True
    values.set("key", "two")
    assert values.set("key", "one", 60, after=seen) is False
    assert values.get("key") == "two"
    assert values.set("key", "three", after=seen) is True


def test_an_absence_is_not_believed_for_long(values: Values, shelf: RedisShelf) -> None:
    """Should its end not be heard of: a second, whatever the time to live of copies."""
    assert isinstance(values.get("key"), Absent)
    shelf.put([Put("k:key", MsgspecCodec().encode("there"))], None)  # behind the cache's back
    until(lambda: values.get("key") == "there", within_s=WITHIN_S, waiting_for="the absence to be doubted")


def test_what_lies_under_a_copy_s_name_and_is_none_is_passed_by(values: Values, cache: Cache) -> None:
    """Foreign bytes cost a question to the shelf, and are no error."""
    values.set("key", 1)
    cache.invalidate(Names(keys=("shelf:test:k:key",)))
    cache.read("shelf:test:k:key", lambda: Loaded(b"foreign"))
    assert values.get("key") == 1


@pytest.mark.parametrize("foreign", [b"", b"-", b"12 apples", b"9" * 5000, b"pickled", b"m"])
def test_a_value_that_somebody_else_wrote_is_absent(values: Values, shelf: RedisShelf, foreign: bytes) -> None:
    """Whatever its bytes look like; it can be replaced."""
    shelf.put([Put("k:key", foreign)], None)
    seen = values.look("key")
    assert isinstance(values.unpack(seen), Absent)
    assert values.set("key", 1, after=seen) is True
    assert values.get("key") == 1


def test_clearing_leaves_nothing_behind(values: Values, lying: Callable[[str], list[bytes]]) -> None:
    """Values without end and remembered absences are removed too, of this shelf alone."""
    for number in range(700):
        values.set(f"key {number}", number)
    values.get("nothing")
    assert len(lying("value")) == 700
    values.clear()
    assert lying("value") == lying("hope") == []
    assert isinstance(values.get("key 1"), Absent)


def test_clearing_what_is_there_removes_nothing_that_comes(values: Values, lying: Callable[[str], list[bytes]]) -> None:
    """A value set after the clear lies under a newer generation."""
    values.set("old", 1)
    values.clear()
    values.set("new", 2)
    values.clear()
    values.set("newest", 3)
    assert values.get("newest") == 3
    assert len(lying("value")) == 1


def test_a_lost_generation_does_not_bring_old_values_back(
    shelf: RedisShelf, redis: RedisServer, lying: Callable[[str], list[bytes]]
) -> None:
    """Redis lost the number of the shelf's generation, and kept a value: the next one begins above all that were."""
    shelf.put([Put("k:key", b"1")], None)
    with redis.client() as client:
        client.delete(*lying("version"))
    assert isinstance(shelf.get("k:key"), Absent)
