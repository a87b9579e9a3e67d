"""Slow links, in front of a toy echo server: late, or little at a time, but whole and in order."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.errors import ClusterError, WrongInputError
from cluster.link.faults import fault_of
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


def test_latency_makes_an_answer_late_by_at_least_that(link: LinkProcess) -> None:
    """150 ms on the way back of an established connection; the link counts the bytes that were late."""
    with link.dial() as client:
        client.sendall(b"before")
        assert client.recv(100) == b"before"
        link.control.change([LINK], downstream="latency", settings={"latency_ms": 150})
        began = time.monotonic()
        client.sendall(b"hello")
        assert client.recv(100) == b"hello"
        assert time.monotonic() - began >= 0.15
        assert link.state().late_bytes == (0, 5)


def test_jitter_reorders_nothing(link: LinkProcess) -> None:
    """Two hundred lines with up to 20 ms of jitter each way arrive in the order in which they were said."""
    said = [b"%05d\n" % number for number in range(200)]
    link.control.change(
        [LINK], upstream="latency", downstream="latency", settings={"latency_ms": 10, "jitter_ms": 20, "seed": 3}
    )
    with link.dial() as client:
        for line in said:
            client.sendall(line)
        heard = b""
        while len(heard) < 1200:
            heard += client.recv(65536)
    assert heard == b"".join(said)


def test_bandwidth_carries_so_much_a_second(link: LinkProcess) -> None:
    """40 kB at 100 kB a second take 0.4 s at least."""
    link.control.change([LINK], downstream="bandwidth", settings={"kilobytes_per_s": 100})
    with link.dial() as client:
        began = time.monotonic()
        client.sendall(bytes(40_000))
        heard = 0
        while heard < 40_000:
            heard += len(client.recv(65536))
        assert time.monotonic() - began >= 0.39


def test_what_waits_leaves_when_the_fault_ends(link: LinkProcess, server: EchoServer) -> None:
    """A latency of an hour ends with its heal, and an end that waited comes last."""
    link.control.change([LINK], upstream="latency", settings={"latency_ms": 3_600_000})
    with link.dial() as client:
        client.sendall(b"patience")
        client.shutdown(1)
        until(lambda: link.state().connections == 1, within_s=5, waiting_for="the link to have the connection")
        link.control.heal([LINK])
        assert client.recv(100) == b"patience"
        assert client.recv(100) == b""


def test_much_data_through_a_late_link_is_whole(link: LinkProcess) -> None:
    """4 MB through a queue that holds a quarter of one: the sender is stopped meanwhile, and nothing is lost."""
    sent = bytes(range(256)) * 16384
    link.control.change([LINK], downstream="latency", settings={"latency_ms": 5})
    with link.dial() as client:
        client.setblocking(False)
        position, heard = 0, b""
        while len(heard) < len(sent):
            try:
                position += client.send(sent[position : position + 65536])
            except BlockingIOError:
                client.settimeout(0.005)
            try:
                client.settimeout(0.005 if position < len(sent) else 10)
                heard += client.recv(1 << 20)
            except (TimeoutError, BlockingIOError):
                pass
    assert heard == sent


@pytest.mark.parametrize(
    ("name", "settings", "says"),
    [
        ("latency", {"latency": 5}, "has no setting latency; it has jitter_ms, latency_ms, seed"),
        ("latency", {"latency_ms": "much"}, "Expected `float`"),
        ("blackhole", {"seed": 5}, "has no setting seed; it has none"),
        ("worm", {}, "no fault is called 'worm'"),
    ],
)
def test_a_setting_that_can_not_be_meant_is_refused(name: str, settings: dict[str, int | str], says: str) -> None:
    """Unknown names and wrong types, before anything is touched."""
    with pytest.raises(WrongInputError, match=says):
        fault_of(name, settings)


def test_the_link_process_refuses_it_too(link: LinkProcess) -> None:
    """Over the control socket it is a sentence, and the link stays as it is."""
    with pytest.raises(ClusterError, match="has no setting speed"):
        link.control.change([LINK], upstream="latency", settings={"speed": 1})
    assert link.state().upstream == "pass"
