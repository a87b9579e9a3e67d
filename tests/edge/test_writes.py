"""A write reaches one application and no other: whatever breaks, and whichever of the unsafe methods it is.

nginx by itself repeats PUT and DELETE, which HTTP calls idempotent; here a second application would raise the version
a second time, or delete what another client has just made.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.edge.running_edge import Answer, Edge, running_edge
from tests.edge.toy_node import Close, Hang, Reset, ToyNode, always, answer

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
BODY = b'{"price": 12.5}'


def received(nodes: list[ToyNode]) -> list[tuple[str, str]]:
    """What reached any application: method and target."""
    return sorted((request.method, request.target) for node in nodes for request in node.requests)


@pytest.mark.parametrize("failure", [Close(), Reset()], ids=["closes", "resets"])
@pytest.mark.parametrize("method", UNSAFE)
def test_a_node_that_breaks_off_is_not_followed_by_another(
    edge: Edge, nodes: list[ToyNode], method: str, failure: Close | Reset
) -> None:
    """It was read and the connection ended: 502, and the answer says that nobody knows whether it was applied."""
    for node in nodes:
        node.behave = always(failure)
    reply = edge.ask(method, "/api/products/1", body=BODY)
    assert received(nodes) == [(method, "/api/products/1")]
    assert reply.status == 502
    assert reply.problem["outcome"] == "unknown"
    assert "Idempotency-Key" in reply.problem["detail"]


def test_a_node_that_hangs_is_not_followed_by_another(edge: Edge, nodes: list[ToyNode]) -> None:
    """A paused node may have applied it: after ten seconds 504, outcome unknown, for each of the four methods."""
    for node in nodes:
        node.behave = always(Hang())

    def write(method: str) -> Answer:
        return edge.ask(method, f"/{method}", body=BODY)

    with ThreadPoolExecutor(len(UNSAFE)) as pool:
        replies = list(pool.map(write, UNSAFE))
    assert received(nodes) == sorted((method, f"/{method}") for method in UNSAFE)
    for reply in replies:
        assert reply.status == 504
        assert reply.problem["outcome"] == "unknown"
    assert min(line["seconds"] for line in edge.log()) > 5, "a write is given more time than the second of a read"


@pytest.mark.parametrize("method", UNSAFE)
def test_a_refused_connection_is_followed_by_the_next_node(edge: Edge, nodes: list[ToyNode], method: str) -> None:
    """Two of three nodes are dead: no byte of the write left the edge, so the third gets it, whole and once."""
    nodes[0].kill()
    nodes[1].kill()
    body = bytes(range(256)) * 400
    reply = edge.ask(method, "/api/products/1", body=body)
    assert (reply.status, reply.text) == (200, "node-3")
    assert [(request.method, request.body) for request in nodes[2].requests] == [(method, body)]


def test_a_chunked_write_survives_a_refused_connection(edge: Edge, nodes: list[ToyNode]) -> None:
    """The edge holds the whole body before it sends any, so that the next node gets all of it."""
    nodes[0].kill()
    nodes[1].kill()
    reply = edge.send(
        b"PUT /x HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"
    )
    assert reply is not None
    assert reply.status == 200
    assert [request.body for request in nodes[2].requests] == [b"abcdefg"]


@pytest.mark.parametrize("method", UNSAFE)
def test_with_every_node_dead_a_write_is_known_not_to_have_happened(
    edge: Edge, nodes: list[ToyNode], method: str
) -> None:
    """502 that says so: nothing was sent, so the client may simply try again."""
    for node in nodes:
        node.kill()
    reply = edge.ask(method, "/x", body=BODY)
    assert reply.status == 502
    assert reply.problem["outcome"] == "not-applied"
    assert received(nodes) == []


def test_an_error_of_a_node_is_the_writes_answer(edge: Edge, nodes: list[ToyNode]) -> None:
    """A node's own 502, 503 or 504 is passed on as it is and asked of nobody else."""
    for status in ("502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"):
        for node in nodes:
            node.requests.clear()
            node.behave = always(answer("the node's own words", status=status))
        reply = edge.ask("PUT", "/x", body=BODY)
        assert (reply.status, reply.text) == (int(status[:3]), "the node's own words")
        assert len(received(nodes)) == 1


def test_an_unknown_method_is_treated_as_a_write(edge: Edge, nodes: list[ToyNode]) -> None:
    """What the edge does not know it must not repeat."""
    for node in nodes:
        node.behave = always(Close())
    assert edge.ask("REINDEX", "/x").status == 502
    assert received(nodes) == [("REINDEX", "/x")]


def test_these_tests_would_notice_a_write_sent_twice(tmp_path: Path, nodes: list[ToyNode]) -> None:
    """Without our guard, with nginx's own rule for a next upstream, a PUT does reach three applications."""

    def without_guard(prefix: Path) -> None:
        rules = prefix / "edge.conf"
        text = rules.read_text(encoding="utf-8")
        assert "    proxy_next_upstream off;\n" in text
        rules.write_text(text.replace("    proxy_next_upstream off;\n", ""), encoding="utf-8")

    for node in nodes:
        node.behave = always(Close())
    with running_edge(tmp_path / "mutant", [node.address for node in nodes], change=without_guard) as mutant:
        mutant.ask("PUT", "/x", body=BODY)
    assert len(received(nodes)) > 1
