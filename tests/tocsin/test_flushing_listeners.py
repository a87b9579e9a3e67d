"""The listeners of `pubsub-flush` and `tracking` on a real Redis: what they say on the wire, and that L1 serves only
while they hear. Their holes are in `test_holes`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis
from tocsin import Cache, Layer, Loaded, Names, Policy, Strategy

from tests.redis_server import RedisServer
from tests.tocsin.conftest import Connect
from tests.tocsin.town import Witness, found, unexpected
from tests.until import until

WITHIN_S = 10.0
LONG_S = 3600.0
BOTH = [Strategy.PUBSUB_FLUSH, Strategy.TRACKING]
K = Names(keys=("k",))


def hears(cache: Cache) -> bool:
    return cache.hearing().hears


def started(connected: Connect, strategy: Strategy, **settings: Any) -> Cache:
    cache = connected(strategy=strategy, l1_ttl_s=LONG_S, l2_ttl_s=LONG_S, retry_after_s=0.1, **settings)
    cache.start()
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear")
    return cache


def warmed(cache: Cache, value: bytes = b"old", *tags: str) -> None:
    """Read `k` until this worker's own L1 answers."""
    load = found(value, 1, *tags)
    until(lambda: cache.read("k", load).layer is Layer.L1, within_s=WITHIN_S, waiting_for="L1 to answer")


def dropped(cache: Cache) -> None:
    until(lambda: cache.levels().entries == 0, within_s=WITHIN_S, waiting_for="L1 to be dropped")


@pytest.fixture
def client(redis: RedisServer) -> Iterator[Redis]:
    """A client of the test's own."""
    with redis.client() as client:
        yield client


@pytest.mark.parametrize("strategy", BOTH)
@pytest.mark.parametrize("names", [K, Names(tags=("toys",))], ids=["key", "tag"])
def test_a_worker_drops_what_another_wrote(connected: Connect, strategy: Strategy, names: Names) -> None:
    """The finish of one worker reaches the L1 of the other, for a key and for a tag."""
    here, there = started(connected, strategy), started(connected, strategy)
    warmed(there, b"old", "toys")
    here.invalidate(names)
    dropped(there)
    assert there.read("k", found(b"new")).value == b"new"


@pytest.mark.parametrize("strategy", BOTH)
def test_a_cut_connection_costs_the_whole_l1_and_no_stale_read(
    client: Redis, connected: Connect, strategy: Strategy, witness: Witness
) -> None:
    """CLIENT KILL, and new connections refused: L1 is not used, what is written meanwhile is seen after the return."""
    cache, writer = started(connected, strategy), connected(strategy=strategy, retry_after_s=0.1)
    warmed(cache)
    assert writer.ping()
    client.config_set("requirepass", "nobody")
    try:
        cut(client, strategy)
        until(lambda: not hears(cache), within_s=WITHIN_S, waiting_for="the listener to say that it is lost")
        assert not writer.invalidate(K).pending
        assert cache.read("k", found(b"new")).value == b"new"
    finally:
        client.config_set("requirepass", "")
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear again")
    assert cache.read("k", found(b"new")).value == b"new"
    assert "lost" in witness.events
    assert witness.events.count("subscribed") == 2
    warmed(cache, b"new")


def cut(client: Redis, strategy: Strategy) -> None:
    """Cut the listeners of this Redis, and nobody else."""
    if strategy is Strategy.TRACKING:
        listeners = [each for each in client.client_list() if "t" in each["flags"]]
        assert listeners
        for each in listeners:
            client.client_kill_filter(_id=each["id"])
    else:
        client.client_kill_filter(_type="pubsub")


@pytest.mark.parametrize("strategy", BOTH)
def test_a_silent_redis_ends_the_use_of_l1_within_the_time_that_was_set(
    redis: RedisServer, connected: Connect, strategy: Strategy
) -> None:
    """Half-open: no error is raised, and nothing comes back. L1 is refused, and used again when Redis answers."""
    cache = started(connected, strategy, canary_within_s=0.5)
    warmed(cache)
    redis.pause()
    until(
        lambda: cache.read("k", found(b"new")).value == b"new",
        within_s=WITHIN_S,
        waiting_for="the entry in L1 to be refused",
    )
    redis.resume()
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear again")
    warmed(cache)


@pytest.mark.parametrize("strategy", BOTH)
def test_a_redis_that_restarts_empty_leaves_nothing_in_l1(
    redis: RedisServer, connected: Connect, strategy: Strategy
) -> None:
    """The new server knows nobody: the listener says everything anew, and L1 begins empty."""
    cache = started(connected, strategy)
    warmed(cache)
    redis.stop()
    until(lambda: not hears(cache), within_s=WITHIN_S, waiting_for="the listener to say that it is lost")
    redis.start()
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear again")
    assert cache.read("k", found(b"new")).value == b"new"
    warmed(cache, b"new")


@pytest.mark.parametrize("strategy", BOTH)
def test_a_listener_is_one_connection_and_leaves_none_behind(
    client: Redis, connected: Connect, strategy: Strategy
) -> None:
    """What a listener opened is closed when it ends, also the connections that were lost in between."""

    def listeners() -> int:
        found = (each for each in client.client_list() if "t" in each["flags"] or int(each["sub"]) > 0)
        return len(list(found))

    before = listeners()
    cache = started(connected, strategy)
    assert listeners() == before + 1
    cut(client, strategy)
    until(lambda: not hears(cache), within_s=WITHIN_S, waiting_for="the listener to say that it is lost")
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear again")
    assert listeners() == before + 1
    cache.stop()
    until(lambda: listeners() == before, within_s=WITHIN_S, waiting_for="the listener's connection to be closed")


def test_tracking_speaks_resp3_by_prefix_on_one_connection(client: Redis, connected: Connect) -> None:
    """As Redis' documents have it: RESP3, BCAST for our entries alone; the pooled connections track nothing."""
    cache = started(connected, Strategy.TRACKING)
    warmed(cache)
    tracking = [each for each in client.client_list() if "t" in each["flags"]]
    assert [(each["resp"], each["flags"]) for each in tracking] == [("3", "tB")]
    assert int(client.info("stats")["tracking_total_prefixes"]) == 2
    assert int(client.info("stats")["tracking_total_items"]) == 0


def test_tracking_hears_whatever_changes_an_entry_in_redis(client: Redis, connected: Connect) -> None:
    """FLUSHALL, a deletion by hand, an expiry: L1 never holds for long what L2 has lost."""
    cache = started(connected, Strategy.TRACKING)
    entry = f"tocsin:{{{cache.settings.namespace}}}:entry:k"
    ends: list[Callable[[], object]] = [
        client.flushall,
        lambda: client.delete(entry),
        lambda: client.pexpire(entry, 1),
    ]
    for end in ends:
        warmed(cache)
        end()
        dropped(cache)


def test_tracking_hears_of_an_eviction(client: Redis, connected: Connect) -> None:
    """A full Redis evicts the entry: whoever has a copy drops it."""
    cache = started(connected, Strategy.TRACKING)
    warmed(cache)
    entry = f"tocsin:{{{cache.settings.namespace}}}:entry:k"
    client.config_set("maxmemory", 1)  # each command evicts what has a time to live
    try:
        until(lambda: not client.exists(entry), within_s=WITHIN_S, waiting_for="Redis to evict the entry")
    finally:
        client.config_set("maxmemory", 0)
    dropped(cache)


def test_tracking_hears_of_pages_under_a_version(connected: Connect) -> None:
    """An entry under `key@version` is told as such; the worker keeps it under its key, and drops it."""
    cache, other = started(connected, Strategy.TRACKING), started(connected, Strategy.TRACKING)
    policy = Policy(versioned_by="products")
    until(
        lambda: cache.read("a@b", found(b"old"), policy).layer is Layer.L1,
        within_s=WITHIN_S,
        waiting_for="L1 to answer",
    )
    other.invalidate(Names(keys=("a@b",)))
    dropped(cache)


def test_what_is_pushed_and_is_none_of_our_keys_is_reported_and_skipped(
    client: Redis, connected: Connect, witness: Witness
) -> None:
    """Foreign bytes under our prefix neither end the listener nor pass in silence (hazard 36)."""
    cache = started(connected, Strategy.TRACKING)
    for key in (b"\xff", b"", b"line\nbreak"):
        client.set(f"tocsin:{{{cache.settings.namespace}}}:entry:".encode() + key, b"foreign")
    cache.read("k", unexpected_none)
    until(
        lambda: (K, "backplane") in witness.invalidations,
        within_s=WITHIN_S,
        waiting_for="the message behind the foreign ones",
    )
    assert witness.events.count("undecodable") >= 1
    assert hears(cache)


def unexpected_none() -> Loaded:
    return Loaded(None)


def test_a_redis_that_refuses_tracking_leaves_the_worker_deaf_and_says_why(client: Redis, connected: Connect) -> None:
    """Too old, or forbidden: L1 is not used, reads are answered, and the reason is what Redis said."""
    client.execute_command("ACL SETUSER default -client|tracking")  # type: ignore[no-untyped-call]
    try:
        cache = connected(strategy=Strategy.TRACKING, l1_ttl_s=LONG_S)
        cache.start()
        until(
            lambda: "CLIENT" in cache.hearing().detail.upper() and "PERM" in cache.hearing().detail.upper(),
            within_s=WITHIN_S,
            waiting_for="the reason to be said",
        )
        cache.read("k", found(b"v"))
        assert [cache.read("k", unexpected).layer for _ in range(3)] == [Layer.L2] * 3
    finally:
        client.execute_command("ACL SETUSER default +@all")  # type: ignore[no-untyped-call]
