"""The edge spreads reads over the nodes, leaves out at once what is dead, and loses a second at most to what is paused.

The nodes are toys; their deaths and pauses are those of real processes as nginx sees them.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

from cluster.edge import LEFT_OUT_S
from tests.edge.running_edge import Edge, running_edge
from tests.edge.toy_node import Close, ToyNode, always, answer
from tests.until import until


def attempts(edge: Edge, node: ToyNode) -> list[dict[str, Any]]:
    """The log lines of requests for which the edge tried this node."""
    return [line for line in edge.log() if node.address in line["node"]]


def test_reads_go_to_every_node_in_turn(edge: Edge, nodes: list[ToyNode]) -> None:
    """Nine reads, three nodes: three each."""
    assert (
        sorted(edge.get(f"/{number}").text for number in range(9)) == ["node-1"] * 3 + ["node-2"] * 3 + ["node-3"] * 3
    )


def test_a_killed_node_costs_no_read(edge: Edge, nodes: list[ToyNode]) -> None:
    """Reads go on as if nothing had happened: refused by one node, the same request is answered by the next."""
    nodes[0].kill()
    answers = [edge.get(f"/{number}") for number in range(12)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.text for answer in answers} == {"node-2", "node-3"}
    assert nodes[0].requests == []


def test_what_one_nginx_worker_learns_the_other_knows(edge: Edge, nodes: list[ToyNode]) -> None:
    """A dead node is tried once per LEFT_OUT_S by all nginx workers together, not once by each."""
    nodes[0].kill()

    def both_have_answered() -> bool:
        for number in range(20):
            assert edge.get(f"/{number}").status == 200
        return len({line["worker"] for line in edge.log()}) == 2

    until(both_have_answered, within_s=20, waiting_for="requests answered by both nginx workers")
    tried_at = [line["at_s"] for line in attempts(edge, nodes[0])]
    assert tried_at
    assert all(later - earlier > LEFT_OUT_S - 0.5 for earlier, later in pairwise(tried_at))


def test_a_read_is_asked_again_where_nginx_would_give_up(tmp_path: Path, nodes: list[ToyNode]) -> None:
    """As when Docker's DNS forgets a dead node during the attempt, after which nginx tries no other: still no error."""

    def one_try(prefix: Path) -> None:
        rules = prefix / "edge.conf"
        text = rules.read_text(encoding="utf-8")
        assert "proxy_next_upstream_tries 3;" in text
        rules.write_text(text.replace("proxy_next_upstream_tries 3;", "proxy_next_upstream_tries 1;"), encoding="utf-8")

    nodes[0].kill()
    with running_edge(tmp_path / "edge", [node.address for node in nodes], change=one_try) as edge:
        answers = [edge.get(f"/{number}") for number in range(12)]
        assert {answer.text for answer in answers} == {"node-2", "node-3"}
        assert "502 : 200" in {line["node_status"] for line in edge.log()}


def test_a_node_that_returns_is_used_again(edge: Edge, nodes: list[ToyNode]) -> None:
    """Started again on its old port, it answers again without anybody telling the edge."""
    nodes[0].kill()
    assert {edge.get(f"/{number}").text for number in range(6)} == {"node-2", "node-3"}
    nodes[0].start()
    until(lambda: edge.get("/again").text == "node-1", within_s=10, waiting_for="an answer of node-1")


def test_a_paused_node_costs_a_read_one_second_and_then_nothing(edge: Edge, nodes: list[ToyNode]) -> None:
    """It accepts and is silent: the edge gives up after a second, asks another node, and leaves it out meanwhile."""
    nodes[0].pause()
    answers = [edge.get(f"/{number}") for number in range(12)]
    assert {answer.status for answer in answers} == {200}
    assert {answer.text for answer in answers} == {"node-2", "node-3"}
    waited = attempts(edge, nodes[0])
    assert waited
    assert {line["node_status"] for line in waited} == {"504, 200"}
    assert len(waited) < len(answers) / 2


def test_a_resumed_node_is_used_again(edge: Edge, nodes: list[ToyNode]) -> None:
    """After SIGCONT, so to speak, its turn comes again."""
    nodes[0].pause()
    assert {edge.get(f"/{number}").text for number in range(4)} == {"node-2", "node-3"}
    nodes[0].resume()
    until(lambda: edge.get("/again").text == "node-1", within_s=10, waiting_for="an answer of node-1")


def test_with_every_node_dead_a_read_is_told_so_at_once(edge: Edge, nodes: list[ToyNode]) -> None:
    """502, as problem+json, with a time to try again."""
    for node in nodes:
        node.kill()
    answer = edge.get("/x")
    assert answer.status == 502
    assert answer.problem["detail"] == "no node could be reached"
    assert answer.get("Retry-After") == "1"
    assert answer.get("Cache-Control") == "no-store"
    assert answer.get("X-Node") == "edge"
    assert answer.get("Cache-Status") is None, "RFC 9211 §2: nothing is appended to what a proxy makes up itself"


def test_with_every_node_paused_a_read_is_told_so_within_seconds(edge: Edge, nodes: list[ToyNode]) -> None:
    """504 after two or three silent nodes; the time is bounded for all of them together."""
    for node in nodes:
        node.pause()
    answer = edge.get("/x")
    assert answer.status == 504
    assert answer.problem["detail"] == "no node answered in time"
    assert 2 <= edge.log()[-1]["node_status"].count("504") <= 3


def test_nodes_that_were_all_left_out_are_asked_rather_than_none(edge: Edge, nodes: list[ToyNode]) -> None:
    """Every node was silent a moment ago, so every one is left out; well again, the first read is answered."""
    for node in nodes:
        node.pause()
    for number in range(2):
        assert edge.get(f"/{number}").status == 504
    assert all(attempts(edge, node) for node in nodes)
    for node in nodes:
        node.resume()
    assert edge.get("/now").status == 200


def test_a_node_that_breaks_off_before_answering_costs_no_read(edge: Edge, nodes: list[ToyNode]) -> None:
    """A worker killed while it works on a read: the read is asked of another node."""
    nodes[0].behave = always(Close())
    assert {edge.get(f"/{number}").status for number in range(6)} == {200}
    assert nodes[0].targets() != []


def test_an_error_of_a_node_is_passed_on_and_not_asked_again(edge: Edge, nodes: list[ToyNode]) -> None:
    """503 from a node is an answer (its database is away, and everybody's is): no second node is bothered."""
    for node in nodes:
        node.behave = always(answer("no database", status="503 Service Unavailable"))
    assert (edge.get("/x").status, edge.get("/y").text) == (503, "no database")
    assert sum(len(node.requests) for node in nodes) == 2


def test_reads_keep_their_connections_to_the_nodes(edge: Edge, nodes: list[ToyNode]) -> None:
    """Sixty reads need no more than one connection per node and nginx worker."""
    for number in range(60):
        edge.get(f"/{number}")
    assert all(1 <= node.connections <= 2 for node in nodes)


def test_a_write_has_a_connection_of_its_own(edge: Edge, nodes: list[ToyNode]) -> None:
    """An idle connection may be dying at its other end; a read can be repeated, a write can't, so it gets a new one."""
    for number in range(9):
        edge.get(f"/{number}")
        edge.ask("PUT", f"/{number}", body=b"{}")
    for node in nodes:
        for write in (request for request in node.requests if request.method == "PUT"):
            sharing = [request for request in node.requests if request.connection == write.connection]
            assert sharing == [write]
