"""The lines to Redis: every kind of address, no answer to the wrong request, bounded, and friendly to greenlets."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from redis.exceptions import ResponseError
from tocsin import CacheSettings, Happened, Unavailable
from tocsin.clock import SystemClock
from tocsin.redis.connection import RedisConnection
from tocsin.redis.line import RESTED_S

from tests.redis_server import RedisServer, redis_server
from tests.until import until


def connection(url: str, **settings: object) -> RedisConnection:
    return RedisConnection(CacheSettings(redis_url=url, node="n", retry_after_s=0.01, **settings), SystemClock())  # type: ignore[arg-type]


def after_the_breaker(way: RedisConnection, *words: str) -> object:
    """Return the first reply once the breaker lets a request pass; refused ones are not sent."""
    replies: list[object] = []

    def asks() -> bool:
        try:
            replies.append(way.request(*words))
        except Unavailable as error:
            if error.happened is not Happened.NO:
                raise
        return bool(replies)

    until(asks, within_s=5, waiting_for="the breaker to let a request pass")
    return replies[0]


@pytest.fixture
def line(redis: RedisServer) -> Iterator[RedisConnection]:
    """A way to the test's server, with a short timeout."""
    way = connection(redis.url, socket_timeout_s=0.3)
    yield way
    way.close()


@pytest.mark.parametrize("kind", ["tcp", "unix", "password", "user", "database"])
def test_every_kind_of_address_is_reached(kind: str, tmp_path: Path) -> None:
    """redis-py opens the connection, so whatever its URL says of address, password and database holds."""
    path = tmp_path / "redis.sock"
    with redis_server("--unixsocket", str(path)) as server:
        with server.client() as client:
            if kind == "password":
                client.config_set("requirepass", "secret")
            if kind == "user":
                client.acl_setuser("ada", enabled=True, passwords=["+lovelace"], keys=["*"], commands=["+@all"])
        at = f"127.0.0.1:{server.port}"
        url = {
            "tcp": f"redis://{at}",
            "unix": f"unix://{path}?db=2",
            "password": f"redis://:secret@{at}/1",
            "user": f"redis://ada:lovelace@{at}/0",
            "database": f"redis://{at}/3",
        }[kind]
        way = connection(url)
        try:
            assert way.request("SET", "key", b"\x00value") == b"OK"
            assert way.request("GET", "key") == b"\x00value"
            where = way.request("CLIENT", "INFO").decode()
            database = {"unix": 2, "password": 1, "database": 3}.get(kind, 0)
            assert f" db={database} " in where
        finally:
            way.close()


def test_requests_in_one_trip_are_answered_in_their_order(line: RedisConnection) -> None:
    """An error of one of them is its reply, and no error of the others."""
    replies = line.requests(("SET", "a", 1), ("LPUSH", "a", 2), ("GET", "a"))
    assert (replies[0], replies[2]) == (b"OK", b"1")
    assert isinstance(replies[1], ResponseError)


def test_a_late_answer_is_nobody_elses(redis: RedisServer, line: RedisConnection) -> None:
    """The line that timed out is given up: what it would still bring was for another request."""
    line.request("SET", "a", "of a")
    line.request("SET", "b", "of b")
    redis.pause()
    with pytest.raises(Unavailable) as lost:
        line.request("GET", "a")
    assert lost.value.happened is Happened.UNKNOWN
    redis.resume()
    assert after_the_breaker(line, "GET", "b") == b"of b"


class Ended(BaseException):
    """What ends a request from outside, as a timeout of gevent's does."""


def test_a_request_that_is_ended_from_outside_leaves_no_answer_behind(
    redis: RedisServer, line: RedisConnection
) -> None:
    """Whatever interrupts the wait for an answer, the next request is not given that answer."""
    line.request("SET", "a", "of a")
    line.request("SET", "b", "of b")

    def end(number: int, frame: FrameType | None) -> None:
        raise Ended

    before = signal.signal(signal.SIGALRM, end)
    redis.pause()
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(Ended):
            line.request("GET", "a")
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        redis.resume()
    assert line.request("GET", "b") == b"of b"


def test_a_line_that_was_cut_while_it_rested_is_replaced(redis: RedisServer, line: RedisConnection) -> None:
    """No request is lost to a connection that the server had closed before."""
    line.request("PING")
    with redis.client() as client:
        client.client_kill_filter(_type="normal", skipme=True)
    time.sleep(2 * RESTED_S)  # what is waited for is time itself
    assert line.request("PING") == b"PONG"


def test_no_more_lines_are_open_than_allowed(redis: RedisServer) -> None:
    """Many threads share few lines, each gets its own answers, and who waits too long is told so."""
    way = connection(redis.url, redis_connections_max=2, socket_timeout_s=5.0)
    wrong: list[object] = []

    def ask(name: str) -> None:
        for number in range(200):
            text = f"{name} {number}"
            if way.request("ECHO", text) != text.encode():
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(f"thread {number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not wrong
    with redis.client() as client:
        ours = [each for each in client.client_list() if each["cmd"] == "echo"]
    assert 1 <= len(ours) <= 2
    way.close()


def test_who_finds_no_line_in_time_knows_that_nothing_was_sent(redis: RedisServer) -> None:
    """The only line is in use; the request that finds none is refused, and did not happen."""
    way = connection(redis.url, redis_connections_max=1, socket_timeout_s=0.2)
    way.request("PING")
    taken = way._open().take()
    with pytest.raises(Unavailable, match="no free connection within") as refused:
        way.request("PING")
    assert refused.value.happened is Happened.NO
    way._open().give_back(taken)
    assert after_the_breaker(way, "PING") == b"PONG"
    way.close()


def test_greenlets_wait_for_redis_without_stopping_each_other(redis: RedisServer) -> None:
    """Under gevent one greenlet waits in BLPOP for what another pushes: a socket that blocked the thread would hang."""
    programme = f"""
        from gevent import monkey
        monkey.patch_all()
        import gevent
        from tocsin import CacheSettings
        from tocsin.clock import SystemClock
        from tocsin.redis.connection import RedisConnection
        way = RedisConnection(CacheSettings(redis_url={redis.url!r}, node="n", socket_timeout_s=5.0), SystemClock())
        waits = gevent.spawn(way.request, "BLPOP", "queue", 4)
        gevent.sleep(0.1)
        way.request("RPUSH", "queue", "there")
        print(waits.get(timeout=3))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(programme)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "[b'queue', b'there']", done.stderr
