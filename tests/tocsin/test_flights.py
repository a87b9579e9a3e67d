"""Single-flight: one load for many readers, and never an old value for a reader who came after the write.

These tests use real threads. Each waits for a gate that the test opens, never for time to pass.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from tocsin import Answer, Loaded, Strategy

from tests.tocsin.town import Node, Town, found, write
from tests.until import until

WITHIN_S = 5.0
JOINING = [
    Strategy.L2_ONLY,
    Strategy.TTL,
    Strategy.PUBSUB,
    Strategy.PUBSUB_FLUSH,
    Strategy.TRACKING,
    Strategy.VERSIONED,
]


class SlowLoad:
    """A loader that has read its row, and returns it when the test says so."""

    def __init__(self, loaded: Loaded | Exception) -> None:
        self.calls = 0
        self._loaded = loaded
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> Loaded:
        self.calls += 1
        self.begun.set()
        assert self.go_on.wait(WITHIN_S), "the test never let the load go on"
        if isinstance(self._loaded, Exception):
            raise self._loaded
        return self._loaded


def read_in_thread(threads: ThreadPoolExecutor, node: Node, load: Callable[[], Loaded]) -> Future[Answer]:
    return threads.submit(node.cache.read, "k", load)


def aboard(town: Town, threads: int) -> None:
    """Wait until so many threads wait for a load of another."""
    until(lambda: town.clock.waiting == threads, within_s=WITHIN_S, waiting_for=f"{threads} threads to join the load")


@pytest.mark.parametrize("strategy", JOINING)
def test_readers_of_one_key_share_one_load(strategy: Strategy) -> None:
    """Four threads miss at once: one loads, three take its result and say that they joined."""
    town = Town()
    node = town.node(strategy)
    load = SlowLoad(Loaded(b"v", 7))
    with ThreadPoolExecutor(4) as threads:
        leader = read_in_thread(threads, node, load)
        assert load.begun.wait(WITHIN_S)
        joiners = [read_in_thread(threads, node, load) for _ in range(3)]
        aboard(town, 3)
        load.go_on.set()
        assert not leader.result(WITHIN_S).joined
        answers = [joiner.result(WITHIN_S) for joiner in joiners]
    assert [(answer.value, answer.version, answer.joined) for answer in answers] == [(b"v", 7, True)] * 3
    assert load.calls == 1


def test_without_a_cache_nobody_joins() -> None:
    """`no-cache` promises the database's own answer to each: a joined one may be older than a finished write."""
    node = Town().node(Strategy.NO_CACHE)
    load = SlowLoad(Loaded(b"v"))
    with ThreadPoolExecutor(2) as threads:
        first = read_in_thread(threads, node, load)
        assert load.begun.wait(WITHIN_S)
        assert not node.cache.read("k", found(b"w")).joined
        load.go_on.set()
        first.result(WITHIN_S)


@pytest.mark.parametrize("strategy", JOINING)
def test_a_reader_after_the_write_does_not_join_a_load_before_it(strategy: Strategy) -> None:
    """Load v1 … write v2, finish … read: the reader goes alone and gets v2, though a load of the key is under way."""
    node = Town().node(strategy)
    load = SlowLoad(Loaded(b"v1", 1))
    with ThreadPoolExecutor(1) as threads:
        early = read_in_thread(threads, node, load)
        assert load.begun.wait(WITHIN_S)
        write(node, "k")
        answer = node.cache.read("k", found(b"v2", 2))
        load.go_on.set()
        early.result(WITHIN_S)
    assert (answer.value, answer.joined) == (b"v2", False)


@pytest.mark.parametrize("strategy", JOINING)
def test_when_the_load_fails_those_who_joined_go_alone(strategy: Strategy) -> None:
    """The leader's error is the leader's; a joiner asks the database itself."""
    town = Town()
    node = town.node(strategy)
    load = SlowLoad(OSError("database away"))
    with ThreadPoolExecutor(2) as threads:
        leader = read_in_thread(threads, node, load)
        assert load.begun.wait(WITHIN_S)
        joiner = read_in_thread(threads, node, found(b"v"))
        aboard(town, 1)
        load.go_on.set()
        with pytest.raises(OSError, match="database away"):
            leader.result(WITHIN_S)
        assert (joiner.result(WITHIN_S).value, joiner.result().joined) == (b"v", False)


def test_a_joiner_waits_no_longer_than_it_was_told() -> None:
    """A load that hangs holds up the others for `join_within_s`, then they go alone."""
    node = Town().node(Strategy.L2_ONLY, join_within_s=0.05)
    load = SlowLoad(Loaded(b"slow"))
    with ThreadPoolExecutor(1) as threads:
        leader = read_in_thread(threads, node, load)
        assert load.begun.wait(WITHIN_S)
        answer = node.cache.read("k", found(b"quick"))
        load.go_on.set()
        leader.result(WITHIN_S)
    assert (answer.value, answer.joined) == (b"quick", False)


def test_a_result_that_expired_before_it_was_taken_is_not_taken() -> None:
    """A load longer than the entry's time to live answers its leader; whoever joined asks again."""
    town = Town()
    node = town.node(Strategy.TTL, l1_ttl_s=1.0)
    load = SlowLoad(Loaded(b"old"))
    with ThreadPoolExecutor(2) as threads:
        leader = read_in_thread(threads, node, load)
        assert load.begun.wait(WITHIN_S)
        joiner = read_in_thread(threads, node, found(b"unused"))
        aboard(town, 1)
        town.clock.move(1.0)
        load.go_on.set()
        leader.result(WITHIN_S)
        assert not joiner.result(WITHIN_S).joined


def test_a_flight_that_was_forgotten_does_not_end_a_newer_one() -> None:
    """The old load lands after a newer one has begun: readers still join the newer one."""
    town = Town()
    node = town.node(Strategy.L2_ONLY)
    old, new = SlowLoad(Loaded(b"old", 1)), SlowLoad(Loaded(b"new", 2))
    with ThreadPoolExecutor(3) as threads:
        first = read_in_thread(threads, node, old)
        assert old.begun.wait(WITHIN_S)
        write(node, tags=("any",))
        second = read_in_thread(threads, node, new)
        assert new.begun.wait(WITHIN_S)
        old.go_on.set()
        first.result(WITHIN_S)
        third = read_in_thread(threads, node, new)
        aboard(town, 1)
        new.go_on.set()
        second.result(WITHIN_S)
        assert (third.result(WITHIN_S).value, third.result().joined) == (b"new", True)
