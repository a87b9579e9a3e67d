"""The follower on a real Redis that is treated badly: in each case L1 is used again, and nothing old is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from redis import Redis
from tocsin import Cache, CacheSettings, Layer, Loaded, Names, Strategy, connect
from tocsin.settings import Agent

from tests.redis_server import RedisServer, redis_server
from tests.until import until

KEY = "product:1"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """One Redis, with a small output buffer for subscribers."""
    with redis_server("--client-output-buffer-limit", "pubsub 64kb 32kb 1") as server:
        yield server


@pytest.fixture
def nodes(server: RedisServer) -> Iterator[tuple[Cache, Cache]]:
    """A reader and a writer, each with a thread that follows."""
    namespace = uuid4().hex
    caches = []
    for name in ("reader", "writer"):
        cache = connect(
            CacheSettings(
                redis_url=server.url,
                node=name,
                namespace=namespace,
                strategy=Strategy.SEQUENCED,
                agent=Agent.THREAD,
                l1_ttl_s=3600.0,
                canary_every_s=0.1,
            )
        )
        caches.append(cache)
        cache.start()
    for cache in caches:
        until(lambda cache=cache: cache.hearing().hears, within_s=10, waiting_for="a lease")  # type: ignore[misc]
    yield caches[0], caches[1]
    for cache in caches:
        cache.stop()


def flush(client: Redis) -> None:
    """Remove everything: the run goes on, the state is gone."""
    client.flushall()


def kill_subscribers(client: Redis) -> None:
    """Cut everybody who listens."""
    client.client_kill_filter(_type="pubsub")


def kill_everybody(client: Redis) -> None:
    """Cut everybody else."""
    client.client_kill_filter(_type="normal", skipme=True)
    kill_subscribers(client)


def forget_scripts(client: Redis) -> None:
    """Forget the scripts, as a restart does, and keep the run."""
    client.script_flush()


def lose_the_log(client: Redis) -> None:
    """Remove the log and nothing else: what follows can't be proved to be all."""
    for key in client.scan_iter("*:log"):
        client.delete(key)


def overflow_subscribers(client: Redis) -> None:
    """Tell so much at once that Redis drops whoever does not read fast enough."""
    (channel,) = client.pubsub_channels("*:tocsin")
    pipeline = client.pipeline(transaction=False)
    for _ in range(200):
        pipeline.publish(channel, b"x" * 10_000)
    pipeline.execute()


def run_long(client: Redis) -> None:
    """Let a script keep the server busy for longer than a beat."""
    client.eval("for turn = 1, 4e7 do end", 0)


@pytest.mark.parametrize(
    "harm",
    [flush, kill_subscribers, kill_everybody, forget_scripts, lose_the_log, overflow_subscribers, run_long],
    ids=lambda harm: harm.__name__,
)
def test_whatever_happens_to_redis_the_next_write_is_seen(
    server: RedisServer, nodes: tuple[Cache, Cache], harm: Callable[[Redis], None]
) -> None:
    """A reader with an entry in L1; the harm; a write elsewhere: the entry is refused, and L1 is used again."""
    reader, writer = nodes
    rows = [b"old"]

    def load() -> Loaded:
        return Loaded(rows[-1])

    reader.read(KEY, load)
    assert reader.read(KEY, load).layer is Layer.L1
    with server.client() as client:
        harm(client)
    rows.append(b"new")
    until(lambda: not writer.invalidate(Names(keys=(KEY,))).pending, within_s=10, waiting_for="the write to be told")
    until(lambda: reader.read(KEY, load).value == b"new", within_s=10, waiting_for="the reader to see the write")

    def from_l1() -> bool:
        answer = reader.read(KEY, load)
        assert answer.value == b"new"
        return answer.layer is Layer.L1

    until(from_l1, within_s=10, waiting_for="L1 to be used again")
