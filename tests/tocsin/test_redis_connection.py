"""The way to Redis when Redis is slow, silent, gone, restarted, full, or holds what is not ours."""

from __future__ import annotations

import socket
import time

import pytest
from tocsin import Behind, CacheSettings, Happened, Layer, Names, Policy, Strategy, Unavailable, WritePath, connect

from tests.redis_server import RedisServer, free_port
from tests.tocsin.conftest import Connect
from tests.tocsin.town import found, unexpected
from tests.until import until

NAMES = Names(keys=("k",))
WITHIN_S = 5.0


def seconds(act: object) -> float:
    begun = time.monotonic()
    act()  # type: ignore[operator]
    return time.monotonic() - begun


def test_connecting_opens_nothing() -> None:
    """`connect` may be called before a fork: nobody listens on that port, and nothing notices."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.setblocking(False)
        cache = connect(CacheSettings(redis_url=f"redis://127.0.0.1:{server.getsockname()[1]}/0", node="n"))
        assert not cache.hearing().hears
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_redis_that_refuses_costs_no_error_and_hardly_any_time() -> None:
    """With nothing on the port the loader answers, and the write is pending."""
    url = f"redis://127.0.0.1:{free_port()}/0"
    cache = connect(CacheSettings(redis_url=url, node="n", strategy=Strategy.L2_ONLY))
    answer = cache.read("k", found(b"v"))
    assert (answer.value, answer.steps[0].detail) == (b"v", "redis-unreachable")
    assert not cache.ping()
    with cache.writing(NAMES) as writing:
        writing.committed(key="k", value=b"w", version=2)
    assert writing.receipt.pending
    assert cache.finish_again(NAMES).pending


@pytest.mark.parametrize("strategy", [Strategy.L2_ONLY, Strategy.PUBSUB, Strategy.VERSIONED])
def test_a_redis_that_accepts_and_never_answers_delays_one_read(
    redis: RedisServer, connected: Connect, strategy: Strategy
) -> None:
    """Blackholed: the first read waits for one timeout, those behind the open breaker for none; a write is pending.

    The bounds are generous; what they exclude is redis-py's own nine seconds, and a timeout per read.
    """
    cache = connected(strategy=strategy, retry_after_s=60.0)
    cache.read("k", found(b"v"))
    redis.pause()
    assert seconds(lambda: cache.read("other", found(b"v"))) < 2.0
    assert seconds(lambda: [cache.read(f"key {number}", found(b"v")) for number in range(100)]) < 2.0
    assert cache.finish_again(NAMES).pending
    assert not cache.ping()


def test_a_new_connection_to_a_silent_redis_costs_one_timeout(redis: RedisServer, connected: Connect) -> None:
    """No handshake waits for an answer before the request does."""
    redis.pause()
    cache = connected(strategy=Strategy.L2_ONLY, socket_timeout_s=0.2)
    assert 0.2 <= seconds(lambda: cache.read("k", found(b"v"))) < 2.0


def test_a_redis_that_is_back_is_used_again(redis: RedisServer, connected: Connect) -> None:
    """After the heal the breaker's next try succeeds, and levels answer again, without a restart."""
    cache = connected(strategy=Strategy.L2_ONLY, retry_after_s=0.1)
    redis.pause()
    assert cache.read("k", found(b"v")).steps[0].reason == "bypass"
    redis.resume()
    until(cache.ping, within_s=WITHIN_S, waiting_for="the cache to use Redis again")
    cache.read("k", found(b"v"))
    assert cache.read("k", unexpected).layer is Layer.L2


def test_a_redis_that_restarted_empty_forgot_scripts_and_entries_and_both_come_back(
    redis: RedisServer, connected: Connect
) -> None:
    """The first request finds a dead connection or no script; nothing of that reaches the reader."""
    cache = connected(strategy=Strategy.VERSIONED, retry_after_s=0.1)
    before = cache.version("products")
    cache.read("k", found(b"old"))
    redis.stop()
    redis.start()
    until(cache.ping, within_s=WITHIN_S, waiting_for="the cache to reach the new Redis")
    assert cache.read("k", found(b"new")).value == b"new"
    assert cache.read("k", unexpected).layer is Layer.L1
    assert cache.version("products") > before


def test_scripts_are_loaded_once(redis: RedisServer, connected: Connect) -> None:
    """A hundred reads run one script by its SHA; its text travels once."""
    cache = connected(strategy=Strategy.L2_ONLY)
    cache.read("k", found(b"v"))
    with redis.client() as client:
        client.config_resetstat()
        for _ in range(100):
            cache.read("k", unexpected)
        calls = {name: stats["calls"] for name, stats in client.info("commandstats").items()}
    assert calls["cmdstat_evalsha"] == 100
    assert "cmdstat_eval" not in calls
    assert "cmdstat_hello" not in calls


@pytest.mark.parametrize("foreign", [b"", b"garbage", b"7\n", b"7\n\xc1", b"x\n\x93\x01\x90\xc0", b"\x80\x04."])
def test_what_is_not_an_entry_is_a_miss_and_is_deleted(redis: RedisServer, connected: Connect, foreign: bytes) -> None:
    """Foreign bytes under our key, a pickle among them, are neither served nor executed nor an error."""
    cache = connected(strategy=Strategy.L2_ONLY)
    with redis.client() as client:
        client.set(f"tocsin:{{{cache.settings.namespace}}}:entry:k", foreign, ex=60)
    answer = cache.read("k", found(b"v"))
    assert (answer.value, answer.steps[0].detail) == (b"v", "undecodable")
    assert cache.read("k", unexpected).layer is Layer.L2


def test_a_redis_that_refuses_a_command_does_not_fail_a_read(redis: RedisServer, connected: Connect) -> None:
    """A value of another type under our key, or a full server: said in the step, answered by the loader."""
    cache = connected(strategy=Strategy.L2_ONLY)
    with redis.client() as client:
        client.hset(f"tocsin:{{{cache.settings.namespace}}}:entry:k", "field", "value")
    answer = cache.read("k", found(b"v"))
    assert (answer.value, answer.steps[0].reason, answer.steps[0].detail) == (b"v", "bypass", "redis-refused")
    assert cache.ping()


def test_state_has_no_time_to_live_and_entries_have(redis: RedisServer, connected: Connect) -> None:
    """Under a `volatile-*` policy entries and files may be evicted; counters, dirty values and the journal may not."""
    cache = connected(strategy=Strategy.VERSIONED, write_path=WritePath.WRITE_BEHIND)
    cache.read("k", found(b"v", 1, "toys"))
    cache.read("page", found(b"p"), Policy(versioned_by="products"))
    cache.write_behind(Behind(key="k", operation=b"op", value=b"w", row_version=1, names=NAMES))
    with redis.client() as client:
        keys = client.keys(f"tocsin:{{{cache.settings.namespace}}}:*")
        lasting = {key.decode().split(":", 2)[2] for key in keys if client.ttl(key) == -1}
        mortal = {key.decode().split(":", 2)[2].split("@")[0] for key in keys if client.ttl(key) > 0}
    assert lasting == {
        "version:everything",
        "version:key:k",
        "version:key:page",
        "version:namespace:products",
        "dirty:k",
        "journal",
    }
    assert mortal == {"entry:k", "entry:page", "file:tag:toys"}


def test_a_file_forgets_what_has_expired(redis: RedisServer, connected: Connect) -> None:
    """A tag's file holds what is alive, however many entries carried the tag before (hazard 23)."""
    cache = connected(strategy=Strategy.L2_ONLY)
    for number in range(20):
        cache.read(f"short {number}", found(b"v", 1, "toys"), Policy(ttl_s=0.02))
    file = f"tocsin:{{{cache.settings.namespace}}}:file:tag:toys"
    entry = f"tocsin:{{{cache.settings.namespace}}}:entry:short 19"
    with redis.client() as client:
        until(lambda: not client.exists(entry), within_s=WITHIN_S, waiting_for="the last entry to expire")
        cache.read("long", found(b"v", 1, "toys"), Policy(ttl_s=60.0))
        assert client.zrange(file, 0, -1) == [b"long\n"]


def test_a_write_behind_that_got_no_answer_may_have_happened(redis: RedisServer, connected: Connect) -> None:
    """The error says so: after a refusal by the breaker it did not happen, after a lost answer nobody knows."""
    cache = connected(strategy=Strategy.L2_ONLY, write_path=WritePath.WRITE_BEHIND, retry_after_s=60.0)
    behind = Behind(key="k", operation=b"op", value=b"w", row_version=1, names=NAMES)
    assert cache.ping()
    redis.pause()
    with pytest.raises(Unavailable, match="did not answer") as lost:
        cache.write_behind(behind)
    assert lost.value.happened is Happened.UNKNOWN
    with pytest.raises(Unavailable, match=r"left alone") as refused:
        cache.write_behind(behind)
    assert refused.value.happened is Happened.NO
    redis.resume()


def test_a_journal_that_holds_what_is_not_ours_stops_the_drain(redis: RedisServer, connected: Connect) -> None:
    """Skipping an operation would lose a write in silence; the error names the place to look at."""
    cache = connected(write_path=WritePath.WRITE_BEHIND)
    with redis.client() as client:
        client.xadd(f"tocsin:{{{cache.settings.namespace}}}:journal", {"foreign": "field"}, id="7-0")
    with pytest.raises(Unavailable, match=r"operation 7-0 of the journal is not one of ours.*XRANGE"):
        cache.pending(10)


def test_the_password_of_the_url_is_in_no_error() -> None:
    """Errors end in logs."""
    url = f"redis://:secret@127.0.0.1:{free_port()}/0"
    cache = connect(CacheSettings(redis_url=url, node="n"))
    with pytest.raises(Unavailable) as error:
        cache.bump("products")
    assert "secret" not in str(error.value)
