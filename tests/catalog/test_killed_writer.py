"""A writer that is killed between its commit and its finish: the agents of the nodes that live end the write for it."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.catalog.nodes import OpenNode, agents_below, nodes, run_python
from tests.catalog.shop import NOBODY
from tests.redis_server import RedisServer
from tests.until import until

SOON_S = 10.0
# Cut off from Redis, so that not even its announcement is known, and dead before it could say that.
WRITER = f"""
import os, signal, sys
from tests.catalog.shop import open_shop
from tocsin.writing import Writer
Writer.finish = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
with open_shop(DATABASE_URL=sys.argv[1], REDIS_URL={NOBODY!r}, TOCSIN_STRATEGY="l2-only") as shop:
    shop.put(7)
"""


@pytest.fixture
def open_node(redis: RedisServer, stocked_url: str, tmp_path: Path) -> Iterator[OpenNode]:
    """Opens nodes on each database in turn."""
    with nodes(redis.url, stocked_url, tmp_path) as opened:
        yield opened


def killed_writer(url: str) -> None:
    """Let a process commit a write of product 7 and die by SIGKILL before it can finish it."""
    with run_python(WRITER, url) as writer:
        _, told = writer.communicate(timeout=60)
    assert writer.returncode == -signal.SIGKILL, told


def test_the_agents_end_what_a_killed_writer_committed(
    open_node: OpenNode, stocked_url: str, record_property: Callable[[str, object], None]
) -> None:
    """Two nodes hold the old value in L1 under leases of half a minute; both show the new one within moments."""
    holders = [open_node(name) for name in ("node-2", "node-3")]
    for node in holders:
        until(lambda node=node: node.has_in_l1(b"1"), within_s=10, waiting_for="the old value in L1")  # type: ignore[misc]
    killed_writer(stocked_url)
    died_s = time.monotonic()
    until(
        lambda: all(node.read()[0] == b"2" for node in holders),
        within_s=SOON_S,
        waiting_for="every node to show what the dead writer committed",
    )
    record_property("visible_after_ms", round((time.monotonic() - died_s) * 1000))
    until(lambda: holders[0].outbox() == [True], within_s=SOON_S, waiting_for="the outbox row to be acknowledged")


def test_without_a_relay_nobody_would_know(open_node: OpenNode, stocked_url: str) -> None:
    """The same without an outbox: L1 goes on serving what is not true any more. It is the relay that ends it."""
    node = open_node("node-2", outbox_url="")
    until(lambda: node.has_in_l1(b"1"), within_s=10, waiting_for="the old value in L1")
    killed_writer(stocked_url)
    assert node.has_in_l1(b"1")
    assert node.outbox() == [False]


def test_an_agent_that_relays_stays_small(open_node: OpenNode, tmp_path: Path) -> None:
    """Under 40 MB of its own, whichever database's driver it has loaded."""
    open_node("node-2")
    (agent,) = agents_below(tmp_path)
    assert agent.memory_full_info().uss < 40 << 20
