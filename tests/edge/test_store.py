"""What the edge keeps, for whom, and for how long: only what is for everybody, only while it is fresh."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.conftest import identity
from tests.edge.running_edge import Answer, Edge, running_edge
from tests.edge.toy_node import Close, Request, ToyNode, always, answer
from tests.until import until

LONG = "public, max-age=0, s-maxage=600, must-revalidate"


class Origin(ToyNode):
    """One node whose every answer has the fields that a test sets; the body counts the requests it was sent."""

    def __init__(self, *fields: tuple[str, str]) -> None:
        self.fields = fields
        super().__init__("node-1", self.reply)

    def reply(self, request: Request) -> bytes:
        return answer(f"answer {len(self.requests)}", headers=identity("node-1", *self.fields))


def members(reply: Answer) -> list[str]:
    """The members of Cache-Status, however they are spread over lines."""
    return (reply.get("Cache-Status") or "").split(", ")


@pytest.fixture
def origin() -> Iterator[Origin]:
    with Origin(("Cache-Control", LONG), ("ETag", '"one"')) as origin:
        yield origin


@pytest.fixture
def edge(tmp_path: Path, origin: Origin) -> Iterator[Edge]:
    with running_edge(tmp_path / "edge", [origin.address]) as edge:
        yield edge


def test_what_is_for_everybody_is_kept_and_says_who_filled_the_store(edge: Edge, origin: Origin) -> None:
    """The second read never reaches a node: the edge answered, and names the worker whose answer it kept."""
    filled, hit = edge.get("/x"), edge.get("/x")
    assert len(origin.requests) == 1
    assert (filled.text, hit.text) == ("answer 1", "answer 1")
    assert (filled.get("X-Node"), filled.get("X-Worker")) == ("node-1", "node-1/worker-1")
    assert filled.get("X-Filled-By") is None
    assert (hit.get("X-Node"), hit.get("X-Worker")) == ("edge", "edge")
    assert hit.get("X-Filled-By") == "node-1/worker-1"
    # RFC 9211 §2: a cache appends its member and preserves those of the caches behind it.
    assert re.fullmatch("tocsin-l1; hit, edge; fwd=uri-miss; stored; ttl=(600|599)", filled.get("Cache-Status") or "")
    assert re.fullmatch("tocsin-l1; hit, edge; hit; ttl=(600|5..)", hit.get("Cache-Status") or "")
    assert hit.get("Cache-Control") == LONG


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (("Cache-Control", "no-store"),),
        (("Cache-Control", "private, max-age=600"),),
        (("Cache-Control", "public"),),
        (("Cache-Control", "s-maxage=600"), ("Cache-Control", "private")),
        (("Cache-Control", LONG), ("Set-Cookie", "session=ada")),
        (("Cache-Control", LONG), ("Vary", "*")),
        (("Cache-Control", LONG), ("Vary", "Accept-Language, *")),
        (("X-Accel-Expires", "600"),),
    ],
    ids=lambda fields: "; ".join(f"{name}: {value}" for name, value in fields) or "nothing said",
)
def test_what_is_not_said_to_be_for_everybody_is_not_kept(
    edge: Edge, origin: Origin, fields: tuple[tuple[str, str], ...]
) -> None:
    """Every read reaches the node, and the edge does not claim to have stored anything."""
    origin.fields = fields
    for number in (1, 2):
        reply = edge.get("/x")
        assert reply.text == f"answer {number}"
        assert members(reply)[-1] == "edge; fwd=uri-miss"


@pytest.mark.parametrize("value", ["max-age=600", "public, max-age=600", "MAX-AGE=1, S-MaxAge=600", LONG])
def test_each_way_to_allow_it_is_understood(edge: Edge, origin: Origin, value: str) -> None:
    """max-age without s-maxage is for shared caches too; names are case-insensitive."""
    origin.fields = (("Cache-Control", value),)
    assert members(edge.get("/x"))[-1].startswith("edge; fwd=uri-miss; stored")
    assert members(edge.get("/x"))[-1].startswith("edge; hit")


def test_nothing_is_served_after_its_time(edge: Edge, origin: Origin) -> None:
    """Fresh for a second: then the node is asked again, and with the node dead there is no answer, not an old one."""
    origin.fields = (("Cache-Control", "s-maxage=1"),)
    assert edge.get("/x").text == "answer 1"
    kept: list[Answer] = []

    def node_was_asked_again() -> Answer | None:
        reply = edge.get("/x")
        if reply.text != "answer 1":
            return reply
        kept.append(reply)
        return None

    fresh = until(node_was_asked_again, within_s=10, waiting_for="the end of a second's freshness", every_s=0.05)
    assert fresh is not None
    assert members(fresh)[-1].startswith("edge; fwd=stale; stored")
    assert all(members(reply)[-1].startswith("edge; hit") for reply in kept)
    origin.kill()
    until(lambda: edge.get("/x").status == 502, within_s=10, waiting_for="an error, not an old answer", every_s=0.05)


def test_every_part_of_the_target_is_in_the_key(edge: Edge, origin: Origin) -> None:
    """Another query, another order, another letter, an empty query: each is another resource."""
    targets = ["/x", "/x?", "/x?a=1&b=2", "/x?b=2&a=1", "/x?a=1", "/X", "/x/", "/x?utm_source=evil", "/%78"]
    answers = {edge.get(target).text for target in targets}
    assert len(answers) == len(targets)
    assert origin.targets() == targets


def test_the_host_is_in_the_key_as_the_node_hears_it(edge: Edge, origin: Origin) -> None:
    """Two hosts never share an answer, nor two ports; case makes no other host, neither in the key nor to the node."""
    assert edge.get("/x", Host="shop.example").text == "answer 1"
    assert edge.get("/x", Host="SHOP.example:80").text == "answer 1"
    assert edge.get("/x", Host="evil.example").text == "answer 2"
    assert edge.get("/x", Host="shop.example:8080").text == "answer 3"
    assert [request.headers["host"] for request in origin.requests] == [
        "shop.example",
        "evil.example",
        "shop.example:8080",
    ]


def test_variants_are_kept_apart(edge: Edge, origin: Origin) -> None:
    """A German answer is not given to who asked in English, and both are kept."""
    origin.fields = (("Cache-Control", LONG), ("Vary", "Accept-Language"))
    german, english = edge.get("/x", Accept_Language="de"), edge.get("/x", Accept_Language="en")
    assert (german.text, english.text) == ("answer 1", "answer 2")
    assert edge.get("/x", Accept_Language="de").text == "answer 1"
    assert edge.get("/x", Accept_Language="en").text == "answer 2"


def test_head_and_get_share_an_answer(edge: Edge, origin: Origin) -> None:
    """A HEAD is answered from what a GET has filled the store with; it fills nothing itself."""
    assert edge.ask("HEAD", "/x").status == 200
    edge.get("/x")
    head = edge.ask("HEAD", "/x")
    assert (head.status, head.body, head.get("Content-Length")) == (200, b"", "8")
    assert members(head)[-1].startswith("edge; hit")
    assert (origin.targets("HEAD"), origin.targets("GET")) == (["/x"], ["/x"])


def test_a_write_neither_uses_nor_fills_the_store_and_ends_what_was_in_it(edge: Edge, origin: Origin) -> None:
    """Its answer may look cacheable; it is for the writer. What was stored of its target is not used any more."""
    edge.get("/x")
    for number, method in enumerate(("POST", "PUT", "PATCH", "DELETE")):
        write = edge.ask(method, "/x", body=b"{}")
        assert write.get("Cache-Status") == "tocsin-l1; hit, edge; fwd=method"
        assert write.text == f"answer {2 * number + 2}"
        assert edge.get("/x").text == f"answer {2 * number + 3}"


def test_an_answer_to_somebody_with_authorization_is_kept_only_where_it_says_so(edge: Edge, origin: Origin) -> None:
    """RFC 9111 §3.5: `public`, `s-maxage` or `must-revalidate` allow it; `max-age` alone does not."""
    origin.fields = (("Cache-Control", "max-age=600"),)
    edge.get("/private", Authorization="Bearer ada")
    assert edge.get("/private").text == "answer 2"
    origin.fields = (("Cache-Control", "public, max-age=600"),)
    edge.get("/public", Authorization="Bearer ada")
    assert edge.get("/public").text == "answer 3"


def test_a_personal_page_is_not_shared_even_if_the_node_forgets_to_say_private(edge: Edge, origin: Origin) -> None:
    """The dashboard has no place in the store: two visitors never get one answer."""
    ada, grace = edge.get("/api/dashboard", Cookie="session=ada"), edge.get("/api/dashboard", Cookie="session=grace")
    assert (ada.text, grace.text) == ("answer 1", "answer 2")
    assert members(ada)[-1] == "edge; fwd=bypass"


@pytest.mark.parametrize("suffix", ["/x.css", ";x.css", "?x.css", "/..;/x.css", "%2fx.css", "/%2e%2e/x.css", "%00.css"])
def test_a_personal_page_dressed_up_as_an_asset_is_not_kept(edge: Edge, origin: Origin, suffix: str) -> None:
    """Cache deception: no spelling makes the store keep what the node calls private, or route what is ambiguous."""
    origin.fields = (("Cache-Control", "private, max-age=0, must-revalidate"),)
    for _ in range(2):
        reply = edge.get("/api/dashboard" + suffix, Cookie="session=ada")
        assert reply.status in (200, 400, 404)
        assert not any("hit" in member or "stored" in member for member in members(reply)[1:])


def test_a_validator_is_answered_from_the_store(edge: Edge, origin: Origin) -> None:
    """304 without a body and with the validator, for a list and for a weak spelling too; the node is not asked."""
    edge.get("/x")
    for tag in ('"one"', '"zero", "one"', 'W/"one"', "*"):
        reply = edge.get("/x", If_None_Match=tag)
        assert (reply.status, reply.body, reply.get("ETag")) == (304, b"", '"one"')
        assert reply.get("X-Filled-By") == "node-1/worker-1"
        assert members(reply)[-1].startswith("edge; hit")
    assert edge.get("/x", If_None_Match='"two"').status == 200
    assert len(origin.requests) == 1


def test_one_clients_validator_does_not_decide_what_is_kept_for_all(edge: Edge, origin: Origin) -> None:
    """On a miss the node is not shown it: it might answer 304, and an empty answer would be kept for everybody."""
    assert edge.get("/x", If_None_Match='"one"').status == 304
    assert "if-none-match" not in origin.requests[0].headers
    assert edge.get("/x").text == "answer 1"


def test_where_nothing_is_kept_the_node_sees_the_validator(edge: Edge, origin: Origin) -> None:
    """The front page is revalidated by the node itself, whose 304 is passed on."""
    tag = edge.get("/").get("ETag")
    assert tag == '"one"'
    origin.behave = always(answer("", status="304 Not Modified", headers=(("ETag", '"one"'),)))
    reply = edge.get("/", If_None_Match=tag)
    assert (reply.status, reply.body) == (304, b"")
    assert origin.requests[-1].headers["if-none-match"] == '"one"'


def test_an_answer_that_broke_off_is_not_kept(edge: Edge, origin: Origin) -> None:
    """Half a body is nobody's next answer: the reader sees it break off, and the node is asked again."""
    origin.behave = always(Close(answer("half", headers=identity("node-1", *origin.fields), length=100)))
    with pytest.raises(http.client.IncompleteRead):
        edge.get("/x")
    origin.behave = origin.reply
    assert edge.get("/x").text == "answer 2"
