"""The promises of `sequenced`, end to end, on real servers that are treated badly: Redis 7 and 8, RESP2 and RESP3.

In each test a prober reads and writes all the time. No read may be older than L, whatever is done to Redis; and when
that is over, L1 answers again and writes are told again, so that the bound was not kept by doing without a cache.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
import redis
from tocsin import Cache, CacheSettings, Strategy, connect
from tocsin.settings import Agent

from tests.redis_server import RedisServer, redis_7, redis_server
from tests.tocsin.prober import KEYS, Prober
from tests.until import until

LEASE_S = 1.0
RECOVERS_WITHIN_S = 20.0
SERVERS = {"redis 8": lambda: "", "redis 7": redis_7}
Harm = Callable[[RedisServer, redis.Redis], None]


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A server of each version, with a small output buffer for subscribers, and scripts that may be interrupted."""
    small = ("--client-output-buffer-limit", "pubsub 64kb 32kb 1")
    with redis_server(*small, "--busy-reply-threshold", "100", binary=SERVERS[request.param]()) as server:
        yield server


@pytest.fixture
def client(server: RedisServer) -> Iterator[redis.Redis]:
    """A client of the test's own; afterwards the server is as it was."""
    with server.client() as client:
        yield client
    server.restore()
    with server.client() as client:
        client.config_set("maxmemory", 0)


@pytest.fixture(params=["RESP2", "RESP3"])
def protocol(request: pytest.FixtureRequest) -> str:
    """The protocol, as a URL asks for it."""
    return f"?protocol={request.param[-1]}"


@contextlib.contextmanager
def nodes(server: RedisServer, folder: Path, protocol: str = "", agent: Agent = Agent.THREAD) -> Iterator[list[Cache]]:
    """A reader and a writer on two nodes, each with a lease."""
    namespace = uuid4().hex
    caches = []
    for name in ("reader", "writer"):
        (folder / name).mkdir(mode=0o700)
        settings = CacheSettings(
            redis_url=server.url + protocol,
            node=f"{name}/worker-1",
            namespace=namespace,
            strategy=Strategy.SEQUENCED,
            agent=agent,
            table_dir=str(folder / name / "table"),
            l1_ttl_s=3600.0,
            l2_ttl_s=3600.0,
            lease_s=LEASE_S,
            canary_every_s=0.1,
            retry_after_s=0.1,
        )
        caches.append(connect(settings))
        caches[-1].start()
    try:
        for cache in caches:
            until(lambda cache=cache: cache.hearing().hears, within_s=30, waiting_for="a lease")  # type: ignore[misc]
        yield caches
    finally:
        for cache in caches:
            cache.stop()


def evict(server: RedisServer, client: redis.Redis) -> None:
    """A full Redis: entries are evicted at each command; what has no time to live can't be, and nothing is added."""
    client.config_set("maxmemory", 1)
    time.sleep(0.5)  # how long the fault lasts
    client.config_set("maxmemory", 0)


def flush_all(server: RedisServer, client: redis.Redis) -> None:
    """FLUSHALL: entries, sequence, epoch, log and writers are gone, and the run goes on."""
    client.flushall()


def restart(server: RedisServer, client: redis.Redis) -> None:
    """A crash, and a new run that remembers nothing."""
    server.stop()
    server.start()


def kill_everybody(server: RedisServer, client: redis.Redis) -> None:
    """CLIENT KILL, for subscribers and for all others, several times."""
    for _ in range(5):
        client.client_kill_filter(_type="pubsub")
        client.client_kill_filter(_type="normal", skipme=True)
        time.sleep(0.05)  # so that some come back in between


def overflow_subscribers(server: RedisServer, client: redis.Redis) -> None:
    """More at once than a subscriber's output buffer may hold: Redis cuts whoever reads too slowly."""
    before = subscribers(client)
    channels = client.pubsub_channels()
    assert channels, "somebody listens"
    # In one script, so that nothing is read while it is written: otherwise a quick reader keeps its buffer small.
    client.eval(
        "for _, name in ipairs(KEYS) do for _ = 1, 100 do redis.call('PUBLISH', name, ARGV[1]) end end",
        len(channels),
        *channels,
        b"x" * 10_000,
    )
    until(lambda: not before <= subscribers(client), within_s=10, waiting_for="Redis to cut a subscriber off")


def subscribers(client: redis.Redis) -> set[str]:
    """Who listens now, by the number that a connection has for life."""
    return {str(each["id"]) for each in client.client_list(_type="pubsub")}


def run_long(server: RedisServer, client: redis.Redis) -> None:
    """A script that does not end: first nobody is answered, then everybody is told BUSY, until it is killed."""

    def run() -> None:
        with server.client() as other, contextlib.suppress(redis.RedisError):
            other.eval("while true do end", 0)

    thread = threading.Thread(target=run)
    thread.start()
    until(lambda: is_busy(client), within_s=10, waiting_for="the script to make Redis busy")
    time.sleep(2 * LEASE_S)  # how long the fault lasts: leases end under it
    client.script_kill()
    thread.join(10)


def is_busy(client: redis.Redis) -> bool:
    """Whether commands are answered BUSY."""
    try:
        client.ping()
    except redis.ResponseError as error:
        return "BUSY" in str(error)
    return False


def stand_still(server: RedisServer, client: redis.Redis) -> None:
    """The process stops for longer than a lease; connections stay open."""
    server.pause()
    time.sleep(2 * LEASE_S)  # how long the fault lasts: leases end under it
    server.resume()


def script_flush(server: RedisServer, client: redis.Redis) -> None:
    """SCRIPT FLUSH: as after a restart, every script is unknown; but the run is the same."""
    client.script_flush()


HARMS: list[Harm] = [
    evict,
    flush_all,
    restart,
    kill_everybody,
    overflow_subscribers,
    run_long,
    stand_still,
    script_flush,
]


def examined(prober: Prober, reader: Cache, writer: Cache, harm: Callable[[], None]) -> None:
    """Let the prober run before, during and after the harm; return when L1 answers and writes are told again."""
    with prober.running(reader, writer):
        until(lambda: prober.hits_since(0) > 100, within_s=RECOVERS_WITHIN_S, waiting_for="L1 to answer")
        harm()
        over_s = time.monotonic()
        until(
            lambda: prober.hits_since(over_s) > 100 and prober.writes_since(over_s) > 10,
            within_s=RECOVERS_WITHIN_S,
            waiting_for="L1 to answer again, and writes to be told again",
        )


@pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
def test_no_read_is_older_than_the_lease_and_l1_comes_back(
    server: RedisServer, client: redis.Redis, protocol: str, tmp_path: Path, harm: Harm
) -> None:
    """Staleness of acknowledged writes ≤ L, whatever happens to Redis."""
    prober = Prober()
    with nodes(server, tmp_path, protocol) as (reader, writer):
        examined(prober, reader, writer, lambda: harm(server, client))
        for key in KEYS:
            until(
                lambda key=key: prober.read(reader, key) and prober.reads[key][-1][1] == prober.rows[key],  # type: ignore[misc]
                within_s=RECOVERS_WITHIN_S,
                waiting_for="the last row to be read",
            )
    assert prober.worst_staleness_s() <= LEASE_S


@pytest.mark.parametrize("harm", [flush_all, restart, kill_everybody, run_long], ids=lambda harm: harm.__name__)
def test_the_same_holds_with_an_agent_for_each_node(
    server: RedisServer, client: redis.Redis, tmp_path: Path, harm: Harm
) -> None:
    """The default: a process of the node follows, and its workers read the table that it keeps."""
    prober = Prober()
    with nodes(server, tmp_path, agent=Agent.PROCESS) as (reader, writer):
        examined(prober, reader, writer, lambda: harm(server, client))
    assert prober.worst_staleness_s() <= LEASE_S


def test_the_prober_convicts_a_cache_that_believes_too_long(server: RedisServer, tmp_path: Path) -> None:
    """A test must be able to fail: `ttl` with an L1 of an hour is convicted within seconds."""
    settings = CacheSettings(
        redis_url=server.url, node="n", namespace=uuid4().hex, strategy=Strategy.TTL, l1_ttl_s=3600.0
    )
    reader, writer = connect(settings), connect(settings)
    prober = Prober()
    with prober.running(reader, writer):
        began_s = time.monotonic()
        until(
            lambda: prober.writes_since(began_s + 2 * LEASE_S) > 1,
            within_s=RECOVERS_WITHIN_S,
            waiting_for="writes for longer than a lease",
        )
    for cache in (reader, writer):
        cache.stop()
    assert prober.worst_staleness_s() > LEASE_S
