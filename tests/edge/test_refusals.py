"""What the edge refuses itself: hidden routes, requests that can be read in two ways, what is too large or too slow.

Every refusal is a problem document (RFC 9457), and no node hears of any of them.
"""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest

from tests.edge.running_edge import Edge, running_edge
from tests.edge.toy_node import ToyNode

HIDDEN = (
    "/metrics",
    "/metrics/",
    "/metrics?x=1",
    "/metrics;x",
    "/metrics#x",
    "/METRICS",
    "/%6detrics",
    "/%6Detrics",
    "/metrics%2f",
    "/metrics%2Fx",
    "/_tocsin",
    "/_tocsin/",
    "/_tocsin/state",
    "/_Tocsin/state",
    "/%5ftocsin/state",
    "/%5Ftocsin/entry?key=product:1",
    "/%255ftocsin/state",
    "//_tocsin/state",
    "/%2f_tocsin/state",
    "/./metrics",
    "/api/../metrics",
    "/api/..%2fmetrics",
    "/api/%2e%2e/metrics",
    "/api/%2E./metrics",
    "/api/..;/metrics",
    "/\\metrics",
    "/api/..\\metrics",
    "/x#/../metrics",
    "http://node-1/metrics",
    "http://node-1//metrics",
    "http://node-1/%5ftocsin/state",
)

# Each is one request that two servers in a row have been known to end at different places.
HOST = b"Host: shop\r\n"
SMUGGLING = {
    "length and chunked": b"POST /x HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "chunked and length": b"POST /x HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    "two lengths": b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
    "a list of lengths": b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 4, 4\r\n\r\nabcd",
    "a signed length": b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: +4\r\n\r\nabcd",
    "a hexadecimal length": b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 0x4\r\n\r\nabcd",
    "a huge length": b"POST /x HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "another coding": b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "two codings": b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "chunked twice": b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n" * 2 + b"\r\n0\r\n\r\n",
    "chunked in 1.0": b"POST /x HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a chunk of no size": b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "an overflowing chunk": b"POST /x HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "a chunk longer than said": b"POST /x HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n0\r\n\r\n",
    "NUL in a field": b"GET /x HTTP/1.1\r\n" + HOST + b"A: b\x00c\r\n\r\n",
    "a bare CR": b"GET /x HTTP/1.1\r\n" + HOST + b"A: b\rTransfer-Encoding: chunked\r\n\r\n",
    "two hosts": b"GET /x HTTP/1.1\r\n" + HOST + b"Host: evil\r\n\r\n",
    "no host": b"GET /x HTTP/1.1\r\n\r\n",
    "a host with a path": b"GET /x HTTP/1.1\r\nHost: shop/evil\r\n\r\n",
    "a body on GET": b"GET /x HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nabcd",
    "a chunked body on GET": b"GET /x HTTP/1.1\r\n"
    + HOST
    + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n",
    "a body on HEAD": b"HEAD /x HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\n\r\nabcd",
    "no version": b"GET /x\r\n" + HOST + b"\r\n",
    "another version": b"GET /x HTTP/3.0\r\n" + HOST + b"\r\n",
    "no request": b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    "a tunnel": b"CONNECT shop:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "an echo": b"TRACE /x HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.fixture
def nodes(standing: tuple[Edge, list[ToyNode]]) -> list[ToyNode]:
    """The standing nodes, having heard nothing yet."""
    for node in standing[1]:
        node.requests.clear()
    return standing[1]


@pytest.fixture
def edge(standing: tuple[Edge, list[ToyNode]]) -> Edge:
    return standing[0]


def heard(nodes: list[ToyNode]) -> list[str]:
    return [target for node in nodes for target in node.targets()]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("target", HIDDEN)
def test_what_is_for_operators_is_not_routed_in_any_spelling(
    edge: Edge, nodes: list[ToyNode], target: str, method: str
) -> None:
    """404, as if there were no such thing; the node, which would answer, is not asked."""
    reply = edge.ask(method, target, {"Tocsin-Secret": "even with a secret"})
    assert reply.status == 404
    assert reply.problem["detail"] == "nothing is routed here"
    assert heard(nodes) == []


@pytest.mark.parametrize(
    "target", ["/metrics-of-the-week", "/metricsx", "/api/metrics", "/x?next=/../metrics", "/x?a=//"]
)
def test_what_only_looks_like_it_is_routed(edge: Edge, nodes: list[ToyNode], target: str) -> None:
    """Other names, and the same letters in a query, are nobody's secret."""
    assert edge.get(target).status == 200
    assert heard(nodes) == [target]


@pytest.mark.parametrize("raw", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_a_request_that_could_be_read_in_two_ways_is_refused(edge: Edge, nodes: list[ToyNode], raw: bytes) -> None:
    """An error or a closed connection, and nothing that follows it on the connection is taken for a request."""
    reply = edge.send(raw + b"GET /smuggled HTTP/1.1\r\nHost: shop\r\n\r\n")
    assert reply is None or reply.status in (400, 405, 413, 501, 505), reply
    assert heard(nodes) == []


def test_a_refusal_is_a_problem_document(edge: Edge) -> None:
    """With status, title and a sentence; never stored; said by the edge in its own name."""
    reply = edge.send(SMUGGLING["length and chunked"])
    assert reply is not None
    assert reply.problem["title"] == "Bad Request"
    assert (reply.get("Cache-Control"), reply.get("X-Node")) == ("no-store", "edge")


def test_a_refused_method_names_the_ones_that_are_not(edge: Edge) -> None:
    """RFC 9110 §15.5.6: 405 carries Allow."""
    reply = edge.ask("TRACE", "/x")
    assert reply.problem["status"] == 405
    assert "PATCH" in (reply.get("Allow") or "")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"PUT /x HTTP/1.1\r\nHost: shop\r\nContent-Length: 1048577\r\n\r\n", 413),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: shop\r\n\r\n", 414),
        (b"GET /x HTTP/1.1\r\nHost: shop\r\nA: " + b"x" * 9000 + b"\r\n\r\n", 431),
        (b"GET /x HTTP/1.1\r\nHost: shop\r\n" + (b"A: " + b"x" * 5000 + b"\r\n") * 9 + b"\r\n", 431),
    ],
    ids=["a body over 1 MB", "a long target", "a long field", "many fields"],
)
def test_what_is_too_large_is_refused(edge: Edge, nodes: list[ToyNode], raw: bytes, status: int) -> None:
    """With the status that says what was too large, and the limit in the sentence."""
    reply = edge.send(raw)
    assert reply is not None
    assert reply.problem["status"] == status
    assert heard(nodes) == []


def test_a_chunked_body_has_the_same_limit(edge: Edge, nodes: list[ToyNode]) -> None:
    """No length is announced, so it is counted while it arrives."""
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    reply = edge.send(b"PUT /x HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n", chunk * 17)
    assert reply is not None
    assert reply.problem["status"] == 413
    assert heard(nodes) == []


def test_a_body_of_exactly_1_mb_is_forwarded(edge: Edge, nodes: list[ToyNode]) -> None:
    """The other side of the limit."""
    assert edge.ask("PUT", "/x", body=b"x" * 1048576).status == 200


def test_a_get_that_says_it_has_no_body_is_a_read(edge: Edge, nodes: list[ToyNode]) -> None:
    """Content-Length: 0 is harmless and some clients send it."""
    assert edge.ask("GET", "/x", {"Content-Length": "0"}).status == 200


@pytest.mark.parametrize("sent", [b"GET /x HT", b"PUT /x HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\nabc"])
def test_a_client_that_dawdles_is_let_go_and_costs_nobody_else(
    tmp_path: Path, nodes: list[ToyNode], sent: bytes
) -> None:
    """A header or a body that does not arrive in time (here half a second, not ten) ends the connection."""

    def hurry(prefix: Path) -> None:
        rules = prefix / "nginx.conf"
        text = rules.read_text(encoding="utf-8")
        for directive in ("client_header_timeout", "client_body_timeout"):
            assert f"{directive} 10s;" in text
            text = text.replace(f"{directive} 10s;", f"{directive} 500ms;")
        rules.write_text(text, encoding="utf-8")

    with (
        running_edge(tmp_path / "edge", [node.address for node in nodes], change=hurry) as edge,
        socket.create_connection(("127.0.0.1", edge.port), timeout=20) as slow,
    ):
        slow.sendall(sent)
        assert edge.get("/meanwhile").status == 200
        with contextlib.suppress(ConnectionResetError):
            assert slow.recv(1000) == b"", "recv returns when the edge has let go of the connection"
        assert heard(nodes) == ["/meanwhile"]
