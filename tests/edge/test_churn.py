"""Ten thousand addresses while everything changes: memory that has a bound, and no invalidation that gets lost."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.edge.hearing_edge import Scene, hearing_edge
from tests.edge.toy_node import Request

ADDRESSES = 10_000
GROWTH_MAX_BYTES = 16 << 20  # of the workers' own memory; what they share was reserved when nginx started


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """An edge whose memory for records holds a tenth of what these tests ask of it."""

    def shrink(prefix: Path) -> None:
        conf = prefix / "cache" / "cache.conf"
        text = conf.read_text(encoding="utf-8")
        assert "zone=edge_records:16m" in text
        conf.write_text(text.replace("zone=edge_records:16m", "zone=edge_records:1m"), encoding="utf-8")

    with hearing_edge(tmp_path / "edge", "products", change=shrink) as scene:
        yield scene


def private_bytes(scene: Scene) -> int:
    """What the workers have for themselves."""
    return sum(psutil.Process(worker).memory_full_info().uss for worker in scene.edge.workers())


@pytest.mark.timeout(400)
def test_ten_thousand_addresses_are_read_while_their_names_are_invalidated(scene: Scene) -> None:
    """Each address has a name of its own, each name falls in its turn, and then nothing of it is left to be used.

    The records of the oldest are forgotten meanwhile, which must cost misses and nothing else.
    """
    node = scene.node

    def named(request: Request) -> bytes:
        node.names = (f"product:{request.target.removeprefix('/')}", "products")
        return node.reply(request)

    node.behave = named
    connection = http.client.HTTPConnection("127.0.0.1", scene.edge.port, timeout=30)

    def read(number: int) -> tuple[int, bool]:
        connection.request("GET", f"/{number}")
        reply = connection.getresponse()
        made = int(re.sub(rb"\D", b"", reply.read()))
        return made, (reply.getheader("Cache-Status") or "").split(", ")[-1].startswith("edge; hit")

    before = private_bytes(scene)
    hits = 0
    for number in range(1, ADDRESSES + 1):
        first, _ = read(number)
        hits += read(number)[1]
        scene.write(number, f"k:product:{number}")
        made, hit = read(number)
        assert made > first, f"/{number} is as it was before it was invalidated"
        assert not hit
    connection.close()
    assert hits > ADDRESSES * 0.9, "what is read twice in a row is a hit, whatever else goes on"
    assert private_bytes(scene) - before < GROWTH_MAX_BYTES
    late = [number for number in range(1, ADDRESSES, 500) if scene.kept(f"/{number}")]
    assert len(late) < ADDRESSES // 500, "nothing was forgotten: the test has shown nothing about a full memory"


def test_as_many_groups_as_there_are_writes_never_empty_the_store(scene: Scene) -> None:
    """A write names the groups it changed; of those that are never named, answers stay."""
    scene.node.names = ("kept",)
    scene.read("/kept")
    scene.node.more = (("Cache-Group-Invalidation", ", ".join(f'"other-{number}"' for number in range(32))),)
    for number in range(50):
        scene.node.more = (
            ("Cache-Group-Invalidation", ", ".join(f'"other-{number}-{part}-{"x" * 100}"' for part in range(32))),
        )
        scene.edge.ask("POST", f"/other/{number}", body=b"{}")
    assert scene.kept("/kept")
