"""Faults on single messages, in front of a real Redis: lost, heard twice, late, or out of order."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.cluster.link_process import LinkProcess
from tests.cluster.test_resp import array, bulk, message, subscribed
from tests.redis_server import RedisServer, redis_server
from tests.until import until

LINK = "node-1→redis"
CHANNEL = "tocsin:{catalog}:invalidations"
SEVEN, EIGHT, END = "k:product:7", "k:product:8", "k:the-end"


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A private Redis."""
    with redis_server() as started:
        yield started


@pytest.fixture
def link(server: RedisServer, tmp_path: Path) -> Iterator[LinkProcess]:
    """A link in front of it, which knows that it leads to a Redis."""
    with LinkProcess(tmp_path, server.port, resp=True) as process:
        yield process


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def subscriber(request: pytest.FixtureRequest, link: LinkProcess) -> Iterator[Subscriber]:
    """A subscriber behind the link, in both versions of the protocol."""
    with Redis("127.0.0.1", link.ports[LINK], protocol=request.param, socket_timeout=10) as client:
        yield Subscriber(client)


class Subscriber:
    """Hears a channel; `heard` returns what was told up to the message that ends a test."""

    def __init__(self, client: Redis) -> None:
        self.pubsub = client.pubsub()  # type: ignore[no-untyped-call]
        self.pubsub.subscribe(CHANNEL)
        assert self.pubsub.get_message(timeout=10)["type"] == "subscribe"

    def heard(self) -> list[str]:
        """Every payload before `END`."""
        told: list[str] = []
        while (answer := self.pubsub.get_message(timeout=10)) is not None:
            told.append(answer["data"].decode())
            if told[-1] == END:
                return told[:-1]
        raise AssertionError(f"the end was not told; before it: {told}")


def suffer(link: LinkProcess, fault: str, **settings: int | float | str) -> None:
    link.control.change([LINK], downstream=fault, settings=settings)


def tell(server: RedisServer, *payloads: str) -> None:
    with server.client() as client:
        for payload in payloads:
            assert client.publish(CHANNEL, payload) == 1


def test_dropped_messages_are_heard_by_nobody_behind_the_link(
    link: LinkProcess, server: RedisServer, subscriber: Subscriber
) -> None:
    """Those about product 7 are lost, the others arrive; the link tells how many it was about, and which."""
    suffer(link, "drop-messages", keys="product:7")
    tell(server, SEVEN, EIGHT, "k:product:77", SEVEN, END)
    assert subscriber.heard() == [EIGHT, "k:product:77"]
    assert link.state().messages == (2, 2)
    assert link.state().touched == (SEVEN, SEVEN)


def test_a_duplicated_message_is_heard_twice(link: LinkProcess, server: RedisServer, subscriber: Subscriber) -> None:
    """One behind the other."""
    suffer(link, "duplicate-messages", keys="product:7")
    tell(server, SEVEN, EIGHT, END)
    assert subscriber.heard() == [SEVEN, SEVEN, EIGHT]


def test_a_delayed_message_comes_after_what_was_said_later(
    link: LinkProcess, server: RedisServer, subscriber: Subscriber
) -> None:
    """It is told when its time has come; the connection did not wait for it."""
    suffer(link, "delay-messages", keys="product:7", delay_ms=300)
    tell(server, SEVEN, EIGHT)
    assert subscriber.pubsub.get_message(timeout=10)["data"] == EIGHT.encode()
    assert subscriber.pubsub.get_message(timeout=10)["data"] == SEVEN.encode()


def test_reordered_messages_come_all_but_in_another_order(
    link: LinkProcess, server: RedisServer, subscriber: Subscriber
) -> None:
    """None is lost, and the order is never the one in which they were told."""
    suffer(link, "reorder-messages", window=3, delay_ms=10_000, seed=4)
    tell(server, "1", "2", "3")
    heard = [subscriber.pubsub.get_message(timeout=10)["data"].decode() for _ in range(3)]
    assert sorted(heard) == ["1", "2", "3"]
    assert heard != ["1", "2", "3"]


def test_a_message_that_waits_is_told_when_the_fault_ends(
    link: LinkProcess, server: RedisServer, subscriber: Subscriber
) -> None:
    """A delay of an hour ends with its heal; then everything passes again."""
    suffer(link, "delay-messages", delay_ms=3_600_000)
    tell(server, SEVEN)
    until(lambda: link.state().messages == (1, 1), within_s=10, waiting_for="the message to wait")
    link.control.heal([LINK])
    tell(server, EIGHT, END)
    assert subscriber.heard() == [SEVEN, EIGHT]


def test_invalidations_of_client_side_caching_are_messages_too(link: LinkProcess, server: RedisServer) -> None:
    """RESP3 pushes `invalidate` on the connection that tracks: what is about `a` is lost, the rest arrives."""
    with link.dial() as client, server.client() as writer:
        lines = client.makefile("rb")
        client.sendall(b"HELLO 3\r\nCLIENT TRACKING ON BCAST\r\n")
        while lines.readline() != b"+OK\r\n":
            pass
        suffer(link, "drop-messages", keys="a")
        writer.set("a", 1)
        writer.set("b", 1)
        pushed = array(bulk(b"invalidate"), array(bulk(b"b")), kind=b">")
        assert lines.read(len(pushed)) == pushed
        assert link.state().messages == (1, 1)


def test_canaries_pass(link: LinkProcess, server: RedisServer, subscriber: Subscriber) -> None:
    """A listener's question to itself is no invalidation: without it the listener would notice that it is deaf."""
    suffer(link, "drop-messages")
    tell(server, "0000000a3c91f2e7 42 c\nnode-1#ab")
    assert subscriber.pubsub.get_message(timeout=10)["data"].endswith(b"node-1#ab")
    assert link.state().messages == (0, 0)


def test_chance_comes_from_the_seed(link: LinkProcess, server: RedisServer) -> None:
    """Half of fifty messages, and the same half for the same seed."""
    told = [f"m{number}" for number in range(50)]
    halves = []
    for _ in range(2):
        with Redis("127.0.0.1", link.ports[LINK], protocol=2, socket_timeout=10) as client:
            subscriber = Subscriber(client)
            suffer(link, "drop-messages", probability=0.5, seed=7)
            with server.client() as publisher:
                for payload in told:
                    publisher.publish(CHANNEL, payload)
                link.control.heal([LINK])
                publisher.publish(CHANNEL, END)
            halves.append(subscriber.heard())
            subscriber.pubsub.close()
    assert halves[0] == halves[1]
    assert 10 < len(halves[0]) < 40


def test_answers_pass_untouched_whatever_they_look_like(link: LinkProcess, server: RedisServer) -> None:
    """A list that reads like a message, streams, and a megabyte, on a connection that has not subscribed."""
    suffer(link, "drop-messages")
    with Redis("127.0.0.1", link.ports[LINK], protocol=2, socket_timeout=10) as client:
        client.flushall()
        client.rpush("list", "message", CHANNEL, SEVEN)
        client.xadd("stream", {"message": SEVEN, "to": CHANNEL})
        client.set("big", bytes(1 << 20))
        assert client.lrange("list", 0, -1) == [b"message", CHANNEL.encode(), SEVEN.encode()]
        ((_, ((_, fields),)),) = client.xread({"stream": 0})
        assert fields == {b"message": SEVEN.encode(), b"to": CHANNEL.encode()}
        assert client.get("big") == bytes(1 << 20)


class TestMidway:
    """The fault begins and ends while a frame is on its way: a toy server cuts frames where it wants."""

    @pytest.fixture
    def toy(self) -> Iterator[socket.socket]:
        """The listening toy."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(10)
            yield listener

    @pytest.fixture
    def wire(self, toy: socket.socket, tmp_path: Path) -> Iterator[tuple[LinkProcess, socket.socket, socket.socket]]:
        """A link to the toy: the link, the client's end, the server's end; the client has subscribed."""
        with LinkProcess(tmp_path, toy.getsockname()[1], resp=True) as process, process.dial() as client:
            server, _ = toy.accept()
            with server:
                client.settimeout(10)
                self.say(server, client, subscribed(b"news"))
                yield process, client, server

    def say(self, server: socket.socket, client: socket.socket, data: bytes) -> None:
        """Say something and see it arrive."""
        server.sendall(data)
        self.hears(client, data)

    def hears(self, client: socket.socket, data: bytes) -> None:
        """Exactly this arrives next."""
        received = b""
        while len(received) < len(data):
            received += client.recv(len(data) - len(received))
        assert received == data

    def test_a_frame_that_was_begun_before_the_fault_passes(
        self, wire: tuple[LinkProcess, socket.socket, socket.socket]
    ) -> None:
        """Its first half is through already: without the second the stream would have a hole."""
        link, client, server = wire
        first, second = message(b"news", b"one"), message(b"news", b"two")
        self.say(server, client, first[:9])
        suffer(link, "drop-messages")
        server.sendall(first[9:] + second + b"+PONG\r\n")
        self.hears(client, first[9:] + b"+PONG\r\n")

    def test_a_frame_that_is_not_whole_when_the_fault_ends_goes_on(
        self, wire: tuple[LinkProcess, socket.socket, socket.socket]
    ) -> None:
        """Nothing was decided about it yet, so it passes, from its beginning."""
        link, client, server = wire
        suffer(link, "drop-messages")
        frame = message(b"news", b"one")
        server.sendall(frame[:20])
        link.control.heal([LINK])
        server.sendall(frame[20:])
        self.hears(client, frame)

    def test_no_message_is_told_into_the_middle_of_an_answer(
        self, wire: tuple[LinkProcess, socket.socket, socket.socket]
    ) -> None:
        """A late message waits for the end of a long answer that passes in parts."""
        link, client, server = wire
        suffer(link, "delay-messages", delay_ms=50)
        late, long = message(b"news", b"late"), bulk(b"x" * 5000)
        server.sendall(late + long[:3000])
        self.hears(client, long[:3000])
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        client.settimeout(10)
        server.sendall(long[3000:])
        self.hears(client, long[3000:] + late)

    def test_an_end_that_is_cut_off_by_the_servers_end_is_passed_on(
        self, wire: tuple[LinkProcess, socket.socket, socket.socket]
    ) -> None:
        """Half a frame and then FIN arrive as they were sent."""
        link, client, server = wire
        suffer(link, "drop-messages")
        server.sendall(array(bulk(b"message"), bulk(b"news"), bulk(b"whole")) + b"*3\r\n$7\r\nmess")
        server.shutdown(socket.SHUT_WR)
        self.hears(client, b"*3\r\n$7\r\nmess")
        assert client.recv(1) == b""
