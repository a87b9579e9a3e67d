"""`status --json`: the shape that programs depend on, literally."""

from __future__ import annotations

import json

import jsonschema  # type: ignore[import-untyped]
import msgspec

from cluster.status import State, parse
from tests.cluster.cluster_status import STATUS, link, with_states

STATE = {"enum": ["running", "paused", "dead"]}
PID = {"type": ["integer", "null"]}
URL = {"type": "string", "pattern": "^(http|redis|sqlite|postgresql|mysql|mariadb)"}
PROMISED = {
    "type": "object",
    "required": ["launcher", "edge", "nodes", "redis", "database", "run_dir"],
    "properties": {
        "launcher": {"enum": ["processes", "compose"]},
        "run_dir": {"type": "string"},
        "edge": {"type": "object", "required": ["url"], "properties": {"url": URL}},
        "redis": {"type": "object", "required": ["url", "state"], "properties": {"url": URL, "state": STATE}},
        "database": {"type": "object", "required": ["url"], "properties": {"url": URL}},
        "nodes": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["name", "url", "pid", "state", "workers"],
                "properties": {
                    "name": {"type": "string", "pattern": "^node-[1-9][0-9]*$"},
                    "url": URL,
                    "pid": PID,
                    "state": STATE,
                    "workers": {
                        "type": "array",
                        "minItems": 1,
                        "items": {
                            "type": "object",
                            "required": ["name", "pid", "state", "url"],
                            "properties": {
                                "name": {"type": "string", "pattern": "^node-[1-9][0-9]*/worker-[1-9][0-9]*$"},
                                "pid": PID,
                                "state": STATE,
                                "url": URL,
                            },
                        },
                    },
                },
            },
        },
    },
}
ADDED = {"strategy", "write_path", "secret_file", "flusher", "edge_agent", "link_server", "links", "cut"}


def test_the_document_has_the_promised_shape_and_more() -> None:
    """What is promised is there under its name; what was added since is there too."""
    document = json.loads(STATUS.as_json())
    jsonschema.validate(document, PROMISED)
    assert set(PROMISED["required"]) | ADDED == set(document)
    assert document["nodes"][0]["workers"][1]["name"] == "node-1/worker-2"
    assert document["links"][0]["name"] == "node-1→redis"
    assert (document["edge"]["state"], document["database"]["kind"]) == ("running", "sqlite")


def test_a_dead_server_has_no_pid() -> None:
    """null, so that nobody signals a number that is somebody else's by now."""
    dead = msgspec.structs.replace(STATUS.redis, pid=None, state=State.DEAD)
    document = json.loads(msgspec.structs.replace(STATUS, redis=dead).as_json())
    jsonschema.validate(document, PROMISED)
    assert document["redis"] == {"name": "redis", "pid": None, "state": "dead", "url": "redis://127.0.0.1:21001/0"}


def test_what_is_printed_can_be_parsed_again() -> None:
    """By this package's own programs: the demo, the tests."""
    assert parse(STATUS.as_json()) == STATUS


def test_servers_are_named_by_state_and_workers_only_where_their_node_is_not() -> None:
    """A dead node has dead workers: naming them all would hide which one thing is dead."""
    status = with_states(node_2=State.DEAD, redis=State.DEAD)
    assert status.named(State.DEAD) == ("node-2", "redis")
    first, second = status.nodes[0].workers
    lost = msgspec.structs.replace(first, state=State.DEAD, pid=None)
    node = msgspec.structs.replace(status.nodes[0], workers=(lost, second))
    status = msgspec.structs.replace(status, nodes=(node, status.nodes[1]))
    assert status.named(State.DEAD) == ("node-2", "redis", "node-1/worker-1")


def test_a_link_tells_its_directions_apart() -> None:
    """Two modes and two counters: the way there, the way back."""
    one_way = json.loads(msgspec.json.encode(link("node-1→redis", upstream="blackhole")))
    assert (one_way["upstream"], one_way["downstream"]) == ("blackhole", "pass")
    assert one_way["swallowed_bytes"] == [70, 0]
