"""The link process and its control socket: who may speak to it, what it says to nonsense, and how it comes back."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.errors import ClusterError, WrongInputError
from cluster.link.client import LinkClient
from cluster.link.control import SOCKET, connect
from cluster.link.name import canonical
from tests.cluster.echo import EchoServer
from tests.cluster.link_process import LinkProcess


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


def ask(folder: Path, line: bytes) -> dict[str, object]:
    """One raw line to the control socket, and its reply."""
    with connect(folder, timeout_s=5) as client, client.makefile("rwb") as stream:
        stream.write(line + b"\n")
        stream.flush()
        reply: dict[str, object] = json.loads(stream.readline())
        return reply


def test_a_wrong_secret_opens_nothing(link: LinkProcess) -> None:
    """Whoever reaches the socket must still know the secret; the link is not changed."""
    stranger = LinkClient(link.folder, "guessed")
    with pytest.raises(ClusterError, match="wrong secret"):
        stranger.change(["node-1→redis"], upstream="blackhole")
    assert link.state().upstream == "pass"


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"not json", "malformed"),
        (b'{"do": "dance", "secret": "a-secret-of-the-tests"}', "dance"),
        (b'{"do": "look"}', "secret"),
    ],
)
def test_nonsense_is_answered_with_a_sentence(link: LinkProcess, line: bytes, error: str) -> None:
    """A malformed request gets an error reply, and the process lives on."""
    assert error in str(ask(link.folder, line)["error"])
    assert link.state().upstream == "pass"


def test_an_unknown_link_or_fault_is_answered_with_the_right_ones(link: LinkProcess) -> None:
    """Names that exist are listed."""
    with pytest.raises(ClusterError, match="no link is called 'node-9→redis'; there are node-1→redis"):
        link.control.heal(["node-9→redis"])
    with pytest.raises(ClusterError, match="there are pass, blackhole, refuse, reset, close"):
        link.control.change(["node-1→redis"], upstream="melt")


def test_several_requests_go_over_one_connection(link: LinkProcess) -> None:
    """A program may keep its connection."""
    look = b'{"do": "look", "secret": "a-secret-of-the-tests"}\n'
    with connect(link.folder, timeout_s=5) as client, client.makefile("rwb") as stream:
        for _ in range(3):
            stream.write(look)
            stream.flush()
            assert json.loads(stream.readline())["links"][0]["name"] == "node-1→redis"


def test_a_killed_link_process_returns_on_the_same_ports_and_whole(link: LinkProcess) -> None:
    """Its cuts die with it; its addresses do not, nor does the socket that it left behind disturb its successor."""
    link.control.change(["node-1→redis"], upstream="blackhole", downstream="blackhole")
    link.kill()
    with pytest.raises(ClusterError, match="restart links"):
        link.control.look()
    link.start()
    assert link.state().upstream == "pass"
    with link.dial() as client:
        client.sendall(b"again")
        assert client.recv(100) == b"again"


def test_a_run_folder_may_lie_deeper_than_a_socket_address_is_long(server: EchoServer, tmp_path: Path) -> None:
    """The address of a unix socket holds 107 bytes; the folder's path may be longer."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    assert len(os.fsencode(deep / SOCKET)) > 107
    with LinkProcess(deep, server.port) as link:
        assert link.state().connections == 0
        assert stat.S_ISSOCK((deep / SOCKET).stat().st_mode)


def test_a_link_is_named_with_either_arrow(link: LinkProcess) -> None:
    """`node-1->redis` is `node-1→redis` for keyboards without arrows; anything else is told what a link is called."""
    assert link.control.change(["node-1->redis"], upstream="blackhole")[0].upstream == "blackhole"
    assert canonical("node-1->redis") == canonical(" node-1 → redis ") == "node-1→redis"
    for wrong in ("node-1", "node-1->", "→redis"):
        with pytest.raises(WrongInputError, match="node-1→redis"):
            canonical(wrong)
