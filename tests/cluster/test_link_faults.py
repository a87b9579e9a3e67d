"""Links against a toy echo server: what each fault does to connections that are there, and to those that come."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from tests.cluster.echo import EchoServer
from tests.cluster.link_process import LinkProcess
from tests.until import until

LINK = "node-1→redis"


@pytest.fixture
def server() -> Iterator[EchoServer]:
    """The toy behind the link."""
    echo = EchoServer()
    yield echo
    echo.close()


@pytest.fixture
def link(server: EchoServer, tmp_path: Path) -> Iterator[LinkProcess]:
    """A real link process in front of it."""
    with LinkProcess(tmp_path, server.port) as process:
        yield process


def say(client: socket.socket, data: bytes) -> bytes:
    """Send, and read as many bytes back."""
    client.sendall(data)
    return client.recv(65536)


def dies_at_birth(link: LinkProcess) -> bool:
    """Whether a new connection is reset: while it is still made, if the reset is quick, or as soon as it is read."""
    try:
        with link.dial() as client:
            return is_torn(client)
    except ConnectionResetError:
        return True


def is_torn(client: socket.socket) -> bool:
    """Whether the next thing that a client hears is a reset."""
    try:
        return client.recv(65536) is None
    except ConnectionResetError:
        return True


def test_a_whole_link_passes_bytes_both_ways_and_counts_them(link: LinkProcess) -> None:
    """What goes in comes out; the counters of both directions say how much."""
    with link.dial() as client:
        assert say(client, b"hello") == b"hello"
        state = link.state()
    assert (state.passed_bytes, state.swallowed_bytes) == ((5, 5), (0, 0))
    assert (state.connections, state.accepted, state.upstream, state.downstream) == (1, 1, "pass", "pass")


def test_half_a_close_passes_as_half_a_close(link: LinkProcess, server: EchoServer) -> None:
    """A client that has said all may still listen; when both ends have ended, the link forgets the connection."""
    with link.dial() as client:
        client.sendall(b"last words")
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"last words"
        assert client.recv(100) == b""
    until(lambda: server.connections[0].end == "fin", within_s=5, waiting_for="the server to hear the end")
    until(lambda: link.state().connections == 0, within_s=5, waiting_for="the link to forget the connection")
    assert link.state().broken == 0


def test_much_data_arrives_whole_and_in_order(link: LinkProcess) -> None:
    """16 MB through a link whose reader begins late: nothing is lost when buffers fill."""
    sent = bytes(range(256)) * 65536
    with link.dial() as client, link.dial() as _idle:
        client.setblocking(False)
        received, position = b"", 0
        while len(received) < len(sent):
            if position < len(sent):
                try:
                    position += client.send(sent[position : position + 1 << 20])
                except BlockingIOError:
                    client.settimeout(10)
                    received += client.recv(1 << 20)
                    client.setblocking(False)
            else:
                client.settimeout(10)
                received += client.recv(1 << 20)
    assert received == sent


def test_a_blackhole_swallows_what_is_said_on_an_established_connection(link: LinkProcess, server: EchoServer) -> None:
    """The connection stays open; the server hears nothing more; the bytes are counted as swallowed."""
    with link.dial() as client:
        say(client, b"before")
        link.control.change([LINK], upstream="blackhole", downstream="blackhole")
        client.sendall(b"into the hole")
        link.swallowed(upstream=13)
        assert server.received() == b"before"
        assert server.connections[0].end is None


def test_a_blackhole_takes_a_new_connection_that_leads_nowhere(link: LinkProcess, server: EchoServer) -> None:
    """Connecting succeeds, as with a network that TCP still retries on; the server never hears of it."""
    link.control.change([LINK], upstream="blackhole", downstream="blackhole")
    with link.dial() as client:
        client.sendall(b"anyone?")
        link.swallowed(upstream=7)
        assert server.connections == []


def test_upstream_alone_is_deaf_one_way(link: LinkProcess, server: EchoServer) -> None:
    """The server does not hear the node, but the node hears what the server pushes."""
    with link.dial() as client:
        say(client, b"subscribe")
        link.control.change([LINK], upstream="blackhole")
        client.sendall(b"ping")
        link.swallowed(upstream=4)
        server.connections[0].push(b"message")
        assert client.recv(100) == b"message"
        assert server.received() == b"subscribe"


def test_downstream_alone_is_deaf_the_other_way(link: LinkProcess, server: EchoServer) -> None:
    """The server hears and answers; the node gets nothing. New connections reach the server too."""
    with link.dial() as client:
        say(client, b"hello")
        link.control.change([LINK], downstream="blackhole")
        client.sendall(b"publish")
        link.swallowed(downstream=7)
        assert server.received() == b"hellopublish"
        with link.dial() as late:
            late.sendall(b"late")
            link.swallowed(downstream=11)
        assert len(server.connections) == 2


def test_heal_breaks_a_connection_that_lost_bytes_for_both_ends(link: LinkProcess, server: EchoServer) -> None:
    """A stream with a hole in it must not go on: else an answer would be taken for the answer to something else."""
    with link.dial() as client:
        say(client, b"before")
        link.control.change([LINK], upstream="blackhole", downstream="blackhole")
        client.sendall(b"lost")
        link.swallowed(upstream=4)
        link.control.heal([LINK])
        assert is_torn(client)
        until(lambda: server.connections[0].end == "reset", within_s=5, waiting_for="the server to notice")
    with link.dial() as client:
        assert say(client, b"after") == b"after"


def test_heal_keeps_a_connection_on_which_nothing_was_said(link: LinkProcess) -> None:
    """An idle connection has lost nothing and goes on, as TCP over a mended cable would."""
    with link.dial() as client:
        say(client, b"before")
        link.control.change([LINK], upstream="blackhole", downstream="blackhole")
        link.control.heal([LINK])
        assert say(client, b"after") == b"after"


def test_heal_breaks_a_connection_that_never_reached_the_server(link: LinkProcess) -> None:
    """Taken during the blackhole, it has no server behind it: its client must dial again."""
    link.control.change([LINK], upstream="blackhole", downstream="blackhole")
    with link.dial() as client:
        until(lambda: link.state().connections == 1, within_s=5, waiting_for="the link to take the connection")
        link.control.heal([LINK])
        assert is_torn(client)


def test_a_blackhole_swallows_the_end_of_a_connection_too(link: LinkProcess, server: EchoServer) -> None:
    """The server keeps a half-open connection until the heal, as it would behind a dropped cable."""
    with link.dial() as client:
        say(client, b"hello")
        link.control.change([LINK], upstream="blackhole", downstream="blackhole")
    with link.dial() as probe:  # a connection that ends later than the first one, and is known to be forgotten
        probe.sendall(b"x")
        link.swallowed(upstream=1)
    until(lambda: link.state().connections == 1, within_s=5, waiting_for="only the half-open connection to be left")
    assert server.connections[0].end is None
    link.control.heal([LINK])
    until(lambda: server.connections[0].end == "reset", within_s=5, waiting_for="the server to notice at last")


@pytest.mark.parametrize("mode", ["refuse", "reset"])
def test_refuse_and_reset_tear_an_established_connection(link: LinkProcess, server: EchoServer, mode: str) -> None:
    """Both ends of it hear a reset at once, without having said anything."""
    with link.dial() as client:
        say(client, b"before")
        link.control.change([LINK], upstream=mode, downstream=mode)
        assert is_torn(client)
    until(lambda: server.connections[0].end == "reset", within_s=5, waiting_for="the server to be reset")
    assert link.state().broken == 1


def test_refuse_closes_the_port_and_heal_opens_the_same_one(link: LinkProcess) -> None:
    """A new connection is refused while it lasts; afterwards the address is what it was."""
    link.control.change([LINK], upstream="refuse", downstream="refuse")
    with pytest.raises(ConnectionRefusedError):
        link.dial()
    link.control.heal([LINK])
    with link.dial() as client:
        assert say(client, b"back") == b"back"


def test_reset_accepts_a_new_connection_and_tears_it(link: LinkProcess, server: EchoServer) -> None:
    """Unlike a refusal the connection is made, then reset; the server never hears of it."""
    link.control.change([LINK], upstream="reset", downstream="reset")
    assert dies_at_birth(link)
    assert server.connections == []


def test_close_ends_an_established_connection_in_good_order(link: LinkProcess, server: EchoServer) -> None:
    """Both ends hear an end, not a reset, although the client keeps talking."""
    with link.dial() as client:
        say(client, b"before")
        link.control.change([LINK], upstream="close", downstream="close")
        client.sendall(b"too late")
        assert client.recv(100) == b""
    until(lambda: server.connections[0].end == "fin", within_s=5, waiting_for="the server to hear the end")
    assert server.received() == b"before"


def test_close_ends_a_new_connection_in_good_order_even_if_it_has_spoken(link: LinkProcess) -> None:
    """A client that is quicker than the link still hears an end: unread bytes must not turn it into a reset."""
    link.control.change([LINK], upstream="close", downstream="close")
    for _ in range(20):
        with link.dial() as client:
            client.sendall(b"HELLO 3\r\n")
            assert client.recv(100) == b""


@pytest.mark.parametrize("mode", ["refuse", "reset", "close"])
def test_what_breaks_connections_cannot_work_one_way(link: LinkProcess, mode: str) -> None:
    """Asked for in one direction alone it is refused with the reason, and nothing is changed."""
    with pytest.raises(ClusterError, match=f"{mode} breaks connections"):
        link.control.change([LINK], upstream=mode)
    assert link.state().upstream == "pass"


def test_one_fault_follows_another(link: LinkProcess, server: EchoServer) -> None:
    """A link that is cut one way can be cut another way without a heal between; asking twice changes nothing."""
    with link.dial() as client:
        say(client, b"hello")
        for _ in range(2):
            link.control.change([LINK], upstream="blackhole", downstream="blackhole")
        client.sendall(b"lost")
        link.swallowed(upstream=4)
        link.control.change([LINK], upstream="refuse", downstream="refuse")
        assert is_torn(client)
    link.control.change([LINK], upstream="blackhole", downstream="blackhole")
    with link.dial() as client:
        client.sendall(b"lost")
        link.swallowed(upstream=8)
    for _ in range(2):
        link.control.heal([LINK])
    with link.dial() as client:
        assert say(client, b"whole") == b"whole"
    assert server.received() == b"hellowhole"


def test_a_server_that_breaks_is_heard_through_the_link(link: LinkProcess, server: EchoServer) -> None:
    """A reset of the server's side passes as a reset."""
    with link.dial() as client:
        say(client, b"hello")
        server.connections[0].conversation.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        server.connections[0].conversation.shutdown(socket.SHUT_RD)
        server.close()
        until(lambda: server.connections[0].end is not None, within_s=5, waiting_for="the server to be gone")
        assert is_torn(client) or client.recv(10) == b""


def test_a_server_that_is_not_there_tears_the_connection(link: LinkProcess, server: EchoServer) -> None:
    """A link has accepted before it knows; a reset is the nearest thing to the refusal that the node would have got."""
    server.close()
    assert dies_at_birth(link)


def test_one_link_is_cut_and_its_neighbour_is_not(server: EchoServer, tmp_path: Path) -> None:
    """A cut concerns one node; the others, in the same process, go on."""
    with LinkProcess(tmp_path, server.port, ("node-1→redis", "node-2→redis")) as links:
        links.control.change(["node-2→redis"], upstream="blackhole", downstream="blackhole")
        with links.dial("node-1→redis") as client:
            assert say(client, b"one") == b"one"
        assert links.state("node-1→redis").upstream == "pass"
        assert links.state("node-2→redis").upstream == "blackhole"


def test_a_client_that_speaks_at_once_is_heard(link: LinkProcess) -> None:
    """Its first bytes may come before the link has reached the server: none of a hundred connections loses them."""
    for _ in range(100):
        with link.dial() as client:
            assert say(client, b"hello") == b"hello"
