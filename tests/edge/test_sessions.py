"""What a session has seen, it is never shown less of: the signed watermark at the edge. The mac is made here anew."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import pytest
from tocsin.position import Position

from tests.edge.hearing_edge import EPOCH, Scene, hearing_edge, is_hit, member
from tests.edge.running_edge import SECRET, Answer

PRODUCT = "product:1"
NAME = "tocsin-watermark"
PRIVATE = "private, max-age=0, must-revalidate"


def cookie_value(text: str, secret: str = SECRET) -> str:
    """A watermark as the contract says that it is signed (docs/contract.md §1)."""
    mac = hmac.digest(secret.encode(), f"{NAME}={text}".encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def seen(sequence: int, epoch: int = EPOCH) -> str:
    """The value for a session that has seen a sequence."""
    return cookie_value(f"{epoch:016x}-{sequence}")


def ask(scene: Scene, value: str, target: str = "/x", **headers: str) -> Answer:
    return scene.edge.get(target, Cookie=f"theme=dark; {NAME}={value}; other=1", **headers)


def given(reply: Answer) -> str | None:
    """The watermark that an answer gives its client."""
    lines = [line for line in reply.all("Set-Cookie") if line.startswith(f"{NAME}=")]
    assert len(lines) <= 1
    return lines[0].removeprefix(f"{NAME}=").partition(";")[0] if lines else None


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with hearing_edge(tmp_path / "edge", PRODUCT) as scene:
        yield scene


def test_a_session_gets_nothing_older_than_what_it_has_seen(scene: Scene) -> None:
    """It wrote 3 through a node; the edge has heard of nothing yet, and its stored answer is proved up to 0 only."""
    scene.read()
    assert scene.kept()
    scene.node.base = Position(EPOCH, 3)
    reply = ask(scene, seen(3))
    assert reply.text == "answer 2"
    assert not is_hit(reply)
    assert ask(scene, seen(3)).text == "answer 2", "what it brought is proved up to 3, and serves this session too"


def test_an_answer_is_as_new_as_what_the_edge_has_applied(scene: Scene) -> None:
    """Stored at 0, and still true when the edge had applied 5: a session that has seen 5 may have it, one of 6 not."""
    scene.read()
    for sequence in range(1, 6):
        scene.sink.apply(sequence, ["k:other"])
    assert is_hit(ask(scene, seen(5)))
    assert not is_hit(ask(scene, seen(6)))


def test_a_hit_raises_the_watermark_of_who_presents_one(scene: Scene) -> None:
    """Monotonic reads: what was shown here is not undone by a node that is behind."""
    scene.read()
    scene.sink.apply(1, ["k:other"])
    raised = ask(scene, seen(0))
    assert is_hit(raised)
    assert given(raised) == seen(1)
    assert raised.get("Cache-Control") == PRIVATE, "with somebody's cookie it is nobody else's answer"
    assert given(ask(scene, seen(1))) is None, "nothing to raise"
    again = ask(scene, seen(0), If_None_Match="*")
    assert given(again) == seen(1)
    assert again.get("Cache-Control") == PRIVATE


def test_who_presents_none_gets_none(scene: Scene) -> None:
    """And the answer stays everybody's, also after others got theirs."""
    scene.read()
    scene.sink.apply(1, ["k:other"])
    ask(scene, seen(0))
    reply = scene.edge.get("/x", Cookie="theme=dark")
    assert is_hit(reply)
    assert reply.all("Set-Cookie") == []
    assert reply.get("Cache-Control") == "public, max-age=0, must-revalidate"


@pytest.mark.parametrize(
    "value",
    [
        cookie_value(f"{EPOCH:016x}-9", secret="another-secret-of-others"),
        f"{EPOCH:016x}-9",
        f"{EPOCH:016x}-9.",
        seen(9)[:-1],
        seen(9).replace("-9.", "-8."),
        cookie_value("pending-1", secret="another-secret-of-others"),
        cookie_value("nonsense"),
        "",
        "." * 2000,
    ],
)
def test_a_forged_watermark_is_as_good_as_none(scene: Scene, value: str) -> None:
    """Nobody can send all its requests past the store, or give itself a watermark."""
    scene.read()
    reply = ask(scene, value)
    assert is_hit(reply)
    assert given(reply) is None


def test_what_nobody_was_told_of_goes_past_everything(scene: Scene) -> None:
    """A pending watermark: the write is in the database alone. The node answers, and nothing of it is kept."""
    scene.read()
    pending = cookie_value("pending-17")
    for number in (2, 3):
        reply = ask(scene, pending)
        assert (reply.text, member(reply)) == (f"answer {number}", "edge; fwd=bypass; detail=session")
        assert f"{NAME}={pending}" in scene.node.requests[-1].headers["cookie"], "the node judges it"
    assert scene.read() == "answer 1"


@pytest.mark.parametrize("epoch", [EPOCH - 1, EPOCH + 1])
def test_a_watermark_of_another_epoch_passes_by_once(scene: Scene, epoch: int) -> None:
    """Sequences of two epochs are not compared; the node gives the session one that can be."""
    scene.read()
    scene.node.more = (("Tocsin-Watermark", seen(4)),)
    reply = ask(scene, seen(2, epoch))
    assert member(reply) == "edge; fwd=bypass; detail=session"
    assert given(reply) == seen(4)


def test_what_a_node_tells_the_edge_becomes_the_clients_cookie(scene: Scene) -> None:
    """A write's reply sets it; the field itself ends here."""
    scene.node.more = (("Tocsin-Watermark", seen(7)), ("Set-Cookie", "theme=light"))
    reply = scene.edge.ask("PATCH", "/x", body=b"{}")
    assert given(reply) == seen(7)
    assert "theme=light" in reply.all("Set-Cookie")
    assert reply.get("Tocsin-Watermark") is None
    cookie = next(line for line in reply.all("Set-Cookie") if line.startswith(NAME))
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")


def test_what_is_stored_holds_nobodys_watermark(scene: Scene) -> None:
    """The session whose read filled the store got its cookie; the next reader gets the answer alone."""
    scene.node.more = (("Tocsin-Watermark", seen(7)),)
    first = ask(scene, seen(3))
    assert (given(first), first.get("Cache-Control")) == (seen(7), PRIVATE)
    reply = scene.edge.get("/x")
    assert is_hit(reply)
    assert reply.all("Set-Cookie") == []
    assert not [name for name, _ in reply.headers if name.lower().startswith("tocsin-")]


def test_an_asset_is_kept_by_its_client_whatever_the_session(scene: Scene) -> None:
    """It names nothing that is invalidated, so it shows nothing: no cookie, and its year of life stays."""
    scene.node.proves = False
    scene.node.names = ()
    scene.node.more = (("CDN-Cache-Control", "immutable"),)
    scene.read("/static/a.1f.css")
    scene.sink.apply(1, ["k:other"])
    reply = ask(scene, seen(1), "/static/a.1f.css")
    assert is_hit(reply)
    assert reply.all("Set-Cookie") == []
    assert reply.get("Cache-Control") == "public, max-age=0, must-revalidate"


def test_an_edge_before_this_one_speaks_to_the_client(scene: Scene) -> None:
    """With the cluster's secret it is told what nodes tell: base, watermark, and how long it may keep things."""
    scene.read()
    scene.sink.apply(1, ["k:other"])
    for headers in ({}, {"If_None_Match": '"none"'}):
        reply = ask(scene, seen(0), Tocsin_Edge=SECRET, **headers)
        assert is_hit(reply)
        assert reply.get("Tocsin-Base") == f"{EPOCH:016x},1"
        assert reply.get("Tocsin-Watermark") == seen(1)
        assert reply.get("CDN-Cache-Control") == "max-age=600"
        assert reply.all("Set-Cookie") == []
    assert scene.edge.get("/x", Tocsin_Edge=SECRET).get("Tocsin-Base") == f"{EPOCH:016x},1"
    missed = scene.edge.get("/new", Tocsin_Edge=SECRET)
    assert missed.get("Tocsin-Base") == f"{EPOCH:016x},0"
    assert missed.get("CDN-Cache-Control") == "max-age=600"


@pytest.mark.parametrize("secret", ["x", SECRET + "x", SECRET[:-1], f"{SECRET}:{SECRET}", ""])
def test_nobody_else_is_taken_for_an_edge(scene: Scene, secret: str) -> None:
    """A guess at the secret shows nothing, and the node is shown ours alone."""
    scene.read()
    reply = scene.edge.get("/x", Tocsin_Edge=secret)
    assert reply.get("Tocsin-Base") is None
    assert reply.get("CDN-Cache-Control") is None
    scene.edge.get("/new", Tocsin_Edge=secret)
    assert scene.node.requests[-1].headers["tocsin-edge"] == SECRET
