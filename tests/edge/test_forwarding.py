"""What the nodes are told of a request: all that is the client's to say, and nothing that is the edge's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.running_edge import SECRET, Edge, running_edge
from tests.edge.toy_node import ToyNode, always, answer

DATE = "Tue, 01 Sep 2026 08:00:00 GMT"
# None of these is in the cache key, and each has been believed by some application, middleware or server.
SPOOFED = (
    "Forwarded",
    "Front-End-Https",
    "Proxy",
    "Tocsin-Secret",
    "X-Forwarded-Host",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Protocol",
    "X-Forwarded-Scheme",
    "X-Forwarded-Server",
    "X-Forwarded-Ssl",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Host",
    "X-Method-Override",
    "X-Original-Host",
    "X-Original-URL",
    "X-Real-IP",
    "X-Rewrite-URL",
    "X-Script-Name",
    "X-Url-Scheme",
    "Keep-Alive",
    "TE",
    "Upgrade",
)


@pytest.fixture
def nodes(standing: tuple[Edge, list[ToyNode]]) -> list[ToyNode]:
    """The standing nodes, having heard nothing yet."""
    for node in standing[1]:
        node.requests.clear()
    return standing[1]


@pytest.fixture
def edge(standing: tuple[Edge, list[ToyNode]]) -> Edge:
    return standing[0]


def last_headers(nodes: list[ToyNode]) -> dict[str, str]:
    """The header of the only request that reached a node."""
    (request,) = [request for node in nodes for request in node.requests]
    return request.headers


@pytest.mark.parametrize("method", ["GET", "PUT"])
@pytest.mark.parametrize("name", SPOOFED)
def test_a_field_that_could_poison_or_spoof_never_reaches_a_node(
    edge: Edge, nodes: list[ToyNode], name: str, method: str
) -> None:
    """For reads and for writes, in whatever case it is written."""
    assert edge.ask(method, "/x", {name.upper(): "evil"}).status == 200
    assert name.lower() not in last_headers(nodes)


@pytest.mark.parametrize("name", ["Tocsin_Secret", "SCRIPT_NAME", "X_Forwarded_Host", "PATH_INFO"])
def test_an_underscore_makes_no_second_spelling(edge: Edge, nodes: list[ToyNode], name: str) -> None:
    """WSGI reads `_` and `-` alike, and gunicorn takes SCRIPT_NAME from a trusted peer: such fields are dropped."""
    edge.ask("GET", "/x", {name: "evil"})
    assert not any("_" in field for field in last_headers(nodes))


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_what_the_edge_says_of_the_client_is_its_own_word(edge: Edge, nodes: list[ToyNode], method: str) -> None:
    """The address is that of the connection, the scheme that of the listener, and the secret proves who says so."""
    claims = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "Tocsin-Edge": "guess"}
    edge.ask(method, "/x", claims)
    headers = last_headers(nodes)
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "http"
    assert headers["tocsin-edge"] == SECRET


def test_what_is_the_clients_to_say_arrives(edge: Edge, nodes: list[ToyNode]) -> None:
    """Cookies, credentials, preconditions, idempotency key, language, the body and its type."""
    said = {
        "Cookie": "session=ada",
        "Authorization": "Bearer ada",
        "If-Match": '"one"',
        "Idempotency-Key": "4f1c",
        "Accept-Language": "de",
        "Content-Type": "application/json",
    }
    edge.ask("PATCH", "/x?y=%2F1", said, b'{"price": 1}')
    headers = last_headers(nodes)
    assert {name: headers[name.lower()] for name in said} == said
    (request,) = [request for node in nodes for request in node.requests]
    assert (request.target, request.body) == ("/x?y=%2F1", b'{"price": 1}')


@pytest.fixture
def steering(tmp_path: Path) -> Iterator[Edge]:
    """An edge before one node that says too much."""
    fields = (("X-Accel-Redirect", "/.edge/problem"), ("Date", DATE), ("Cache-Control", "s-maxage=600"))
    node = ToyNode("node-1", always(answer("as it is", headers=fields)))
    with node, running_edge(tmp_path / "edge", [node.address]) as edge:
        yield edge


def test_a_node_cannot_steer_the_edge(steering: Edge) -> None:
    """X-Accel-Redirect would fetch another route in the edge's name; it is ignored."""
    reply = steering.get("/x")
    assert (reply.status, reply.text) == (200, "as it is")


def test_an_answers_date_is_the_nodes(steering: Edge) -> None:
    """Kept with the answer, it tells a client how old that is; nginx would set the time of the hit."""
    assert [steering.get("/x").all("Date") for _ in range(2)] == [[DATE], [DATE]]
