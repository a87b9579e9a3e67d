"""A writer that is killed between its commit and its finish: the agents of the nodes that live end the write for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from catalog.database import Database
from catalog.models import OutboxRow, ProductRow
from catalog.settings import database_url as parsed
from sqlalchemy import select
from tocsin import Cache, CacheSettings, Layer, Loaded, connect

from tests.catalog.shop import NOBODY
from tests.redis_server import RedisServer
from tests.until import until

ROOT = Path(__file__).resolve().parents[2]
LEASE_S = 30.0  # so that what becomes visible sooner was told, and has not merely expired
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


@dataclass(frozen=True)
class Node:
    """A worker with an agent of its own, reading the product's version."""

    cache: Cache
    database: Database

    def read(self) -> tuple[bytes | None, Layer]:
        answer = self.cache.read("product:7", self._load)
        return answer.value, answer.layer

    def _load(self) -> Loaded:
        with self.database.reading() as session:
            version = session.scalar(select(ProductRow.version).where(ProductRow.id == 7))
        assert version is not None
        return Loaded(str(version).encode(), version)

    def outbox(self) -> list[bool]:
        with self.database.reading() as session:
            return list(session.scalars(select(OutboxRow.acknowledged)))


OpenNode = Callable[[str, str], Node]


@pytest.fixture
def open_node(redis: RedisServer, stocked_url: str, tmp_path: Path) -> Iterator[OpenNode]:
    """Opens nodes; their agents end before the test does."""
    with ExitStack() as stack:

        def opened(name: str, outbox_url: str) -> Node:
            folder = tmp_path / name
            folder.mkdir(mode=0o700)
            settings = CacheSettings(
                redis_url=redis.url,
                node=f"{name}/worker-1",
                namespace="catalog",
                lease_s=LEASE_S,
                canary_within_s=LEASE_S,
                l1_ttl_s=3600,
                l2_ttl_s=3600,
                table_dir=str(folder / "table"),
                outbox_url=outbox_url,
            )
            node = Node(connect(settings), Database(parsed({"DATABASE_URL": stocked_url})))
            stack.callback(node.database.close)
            stack.callback(node.cache.stop)
            node.cache.start()
            until(lambda: node.cache.hearing().hears, within_s=20, waiting_for=f"{name} to hold a lease")
            return node

        yield opened
    for agent in agents_below(tmp_path):
        agent.terminate()
        agent.wait(10)


def agents_below(folder: Path) -> list[psutil.Process]:
    """The agents whose tables lie below a folder."""
    return [each for each in psutil.Process().children() if any(str(folder) in word for word in each.cmdline())]


def killed_writer(url: str) -> None:
    """Let a process commit a write of product 7 and die by SIGKILL before it can finish it."""
    done = subprocess.run(
        [sys.executable, "-c", WRITER, url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_the_agents_end_what_a_killed_writer_committed(
    open_node: OpenNode, stocked_url: str, record_property: Callable[[str, object], None]
) -> None:
    """Two nodes hold the old value in L1 under leases of half a minute; both show the new one within moments."""
    nodes = [open_node(name, stocked_url) for name in ("node-2", "node-3")]
    for node in nodes:
        until(lambda node=node: node.read() == (b"1", Layer.L1), within_s=10, waiting_for="the old value in L1")  # type: ignore[misc]
    killed_writer(stocked_url)
    died_s = time.monotonic()
    until(
        lambda: all(node.read()[0] == b"2" for node in nodes),
        within_s=SOON_S,
        waiting_for="every node to show what the dead writer committed",
    )
    record_property("visible_after_ms", round((time.monotonic() - died_s) * 1000))
    until(lambda: nodes[0].outbox() == [True], within_s=SOON_S, waiting_for="the outbox row to be acknowledged")


def test_without_a_relay_nobody_would_know(open_node: OpenNode, stocked_url: str) -> None:
    """The same without an outbox: L1 goes on serving what is not true any more. It is the relay that ends it."""
    node = open_node("node-2", "")
    until(lambda: node.read() == (b"1", Layer.L1), within_s=10, waiting_for="the old value in L1")
    killed_writer(stocked_url)
    assert node.read() == (b"1", Layer.L1)
    assert node.outbox() == [False]


def test_an_agent_that_relays_stays_small(open_node: OpenNode, stocked_url: str, tmp_path: Path) -> None:
    """Under 40 MB of its own, whichever database's driver it has loaded."""
    open_node("node-2", stocked_url)
    (agent,) = agents_below(tmp_path)
    assert agent.memory_full_info().uss < 40 << 20
