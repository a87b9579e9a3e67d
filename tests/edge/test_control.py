"""The control socket: what an agent may tell the edge through it, and that nobody else may tell it anything."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tocsin.edge.sink import EdgeSink
from tocsin.position import Position
from tocsin.sink import SinkLost

from tests.edge.hearing_edge import EPOCH, Scene, boot_clock_s, hearing_edge, member
from tests.edge.running_edge import SECRET

PRODUCT, TAG, LISTS = "product:1", "category:toys", "products"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with hearing_edge(tmp_path / "edge", PRODUCT, TAG, LISTS) as scene:
        yield scene


def test_a_restarted_edge_refuses_the_agent_of_before_until_it_begins_anew(tmp_path: Path) -> None:
    """It has no marks: an agent that went on would give it a lease to believe in their absence."""
    prefix = tmp_path / "edge"
    with hearing_edge(prefix, PRODUCT) as scene:
        sink = scene.sink
        sink.close()
    with hearing_edge(prefix, PRODUCT) as scene:
        sink.close()
        with pytest.raises(SinkLost, match="another term"):
            sink.renew(boot_clock_s() + 9)
        with pytest.raises(SinkLost, match="another term"):
            sink.apply(1, ["k:a"])
        assert sink.take_over() == Position()
        sink.close()


def test_another_agent_fences_out_the_one_before(scene: Scene) -> None:
    """What an agent says late, in a term that is over, changes nothing.

    agent 1: apply 1 ─▶ (stopped)                              goes on: refused, and its renewal too
    agent 2:                       begins a term, applies 1 … 9
    """
    with contextlib.closing(EdgeSink(scene.path, secret=SECRET, now=boot_clock_s)) as second:
        second.take_over()
        second.flush(Position(EPOCH, 9))
        with pytest.raises(SinkLost):
            scene.sink.renew(boot_clock_s() + 100)
        with pytest.raises(SinkLost):
            scene.sink.apply(1, ["k:product:1"])
        assert member(scene.edge.get("/x")).endswith("detail=lease")


def test_a_call_without_an_answer_is_a_lost_sink(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """All workers are stopped with the call in their queue, and will carry it out later: the term is given up."""
    monkeypatch.setattr("tocsin.edge.sink.WITHIN_S", 0.2)
    workers = scene.edge.workers()
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    try:
        scene.sink.close()
        with pytest.raises(SinkLost, match="did not answer /apply"):
            scene.sink.apply(1, ["k:product:1"])
    finally:
        for worker in workers:
            os.kill(worker, signal.SIGCONT)
    monkeypatch.undo()
    scene.sink.close()
    scene.lead(1)
    assert scene.read() == "answer 1"


def test_marks_that_are_gone_are_noticed(scene: Scene) -> None:
    """A slot that can't be found is not one that nobody invalidated. Nothing removes one; this edge has an enemy."""
    scene.read()
    enemy = scene.edge.prefix / "cache" / "control.js"
    loses = "case '/lose':\n        ngx.shared.edge_marks.clear();\n        return 204;\n    "
    enemy.write_text(enemy.read_text().replace("case '/suspend':", loses + "case '/suspend':"))
    scene.edge.reload()
    scene.sink._tell("/lose", scene.sink._term)
    assert not scene.kept()
    with pytest.raises(SinkLost, match="lost marks"):
        scene.sink.apply(1, ["k:product:1"])


def test_more_names_than_one_call_holds_are_all_marked(scene: Scene) -> None:
    """A large write comes in parts; the position comes with the last."""
    names = [f"k:product:{number:03d}:{'x' * 400}" for number in range(1000)]
    chosen = names[0], names[500], names[-1]
    for target, name in enumerate(chosen):
        scene.node.names = (name[2:],)
        scene.read(f"/{target}")
        assert scene.kept(f"/{target}")
    scene.write(1, *names)
    assert not any(scene.kept(f"/{target}") for target in range(len(chosen)))


def test_names_are_spelled_alike_on_both_ways(scene: Scene) -> None:
    """Quotes, percent signs, other alphabets: what the log says meets what the node said."""
    for number, name in enumerate(['a"b', "a\\b", "100%", "größe", "鐘", "a b", "a,b;c", "'"], start=1):
        scene.node.names = (name,)
        target = f"/{number}"
        scene.read(target)
        assert scene.kept(target), name
        scene.write(number, f"t:{name}")
        assert not scene.kept(target), name


def test_the_control_socket_is_its_owners_alone(scene: Scene) -> None:
    """Nginx makes the socket for everybody; the folder it lies in lets nobody in."""
    assert stat.S_ISSOCK(scene.path.stat().st_mode)
    assert stat.S_IMODE(scene.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize("secret", ["", "x", SECRET[:-1], SECRET + "x"])
def test_who_has_another_secret_is_refused(scene: Scene, secret: str) -> None:
    """Also whoever gets as far as the socket."""
    scene.read()
    with contextlib.closing(EdgeSink(scene.path, secret=secret, now=boot_clock_s)) as stranger:
        with pytest.raises(SinkLost, match="another secret"):
            stranger.take_over()
        assert scene.kept()


@pytest.mark.parametrize("call", ["/begin", "/apply", "/renew", "/suspend", "/clock", "/mark"])
def test_control_is_not_to_be_had_from_outside(scene: Scene, call: str) -> None:
    """The public port knows none of it, with the secret or without: it is just another path of the nodes'.

    On a busy machine the node may be too late for a write, which is then not repeated; nothing was obeyed all the same.
    """
    scene.read()
    for headers in ({}, {"Tocsin-Secret": SECRET}, {"Tocsin-Secret": SECRET, "Host": "edge"}):
        reply = scene.edge.ask("POST", call, headers, b"0123456789abcdef 0 0")
        assert reply.get("X-Node") == "node-1" or reply.status in (502, 504)
        assert "tocsin-secret" not in scene.node.requests[-1].headers
    assert scene.kept()


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("/begin", b"short 0000000a3c91f2e7 1"),
        ("/begin", b"0123456789abcdef x 1"),
        ("/begin", b"0123456789abcdef 0000000a3c91f2e7"),
        ("/begin", b""),
        ("/apply", b"0123456789abcdef -1"),
        ("/renew", b"0123456789abcdef soon"),
        ("/unknown", b"0123456789abcdef"),
    ],
)
def test_a_call_that_makes_no_sense_changes_nothing(scene: Scene, call: str, body: bytes) -> None:
    """It is refused in one word, and what was kept stays."""
    scene.read()
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(10)
        connection.connect(str(scene.path))
        head = f"POST {call} HTTP/1.0\r\nTocsin-Secret: {SECRET}\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(head.encode() + body)
        status = connection.recv(100).split()[1]
    assert status in (b"400", b"404", b"409")
    assert scene.kept()


def test_an_edge_for_somebody_else_hears_too(open_folder: Path) -> None:
    """Started by an ordinary user, it uses that user's folder and socket."""
    if os.geteuid() != 0:
        pytest.skip("only root can start nginx as another user")
    with hearing_edge(open_folder / "edge", PRODUCT, user="nobody") as scene:
        scene.read()
        assert scene.kept()
