"""Nodes: workers of the library on the catalogue's database, each with an agent process of its own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from catalog.database import Database
from catalog.models import OutboxRow, ProductRow
from catalog.settings import database_url as parsed
from sqlalchemy import select
from tocsin import Cache, CacheSettings, Layer, Loaded, connect

from tests.until import until

ROOT = Path(__file__).resolve().parents[2]
LEASE_S = 30.0  # so that what becomes visible sooner was told, and has not merely expired


@dataclass(frozen=True)
class Node:
    """A worker with an agent of its own, reading the version of product 7."""

    cache: Cache
    database: Database

    def read(self) -> tuple[bytes | None, Layer]:
        """The version that it shows, and the layer that it had it from."""
        answer = self.cache.read("product:7", self._load)
        return answer.value, answer.layer

    def has_in_l1(self, version: bytes) -> bool:
        """Whether it shows that version from its own memory."""
        return self.read() == (version, Layer.L1)

    def outbox(self) -> list[bool]:
        """Whether each row of the outbox is acknowledged."""
        with self.database.reading() as session:
            return list(session.scalars(select(OutboxRow.acknowledged)))

    def _load(self) -> Loaded:
        with self.database.reading() as session:
            version = session.scalar(select(ProductRow.version).where(ProductRow.id == 7))
        assert version is not None
        return Loaded(str(version).encode(), version)


OpenNode = Callable[..., Node]


@contextmanager
def nodes(redis_url: str, database_url: str, folder: Path) -> Iterator[OpenNode]:
    """Open nodes by name, with settings beside the usual ones; their agents end before the block does."""
    with ExitStack() as stack:

        def opened(name: str, **settings: Any) -> Node:
            (folder / name).mkdir(mode=0o700)
            usual = {
                "redis_url": redis_url,
                "node": f"{name}/worker-1",
                "namespace": "catalog",
                "lease_s": LEASE_S,
                "canary_within_s": LEASE_S,
                "l1_ttl_s": 3600,
                "l2_ttl_s": 3600,
                "table_dir": str(folder / name / "table"),
                "outbox_url": database_url,
            }
            cache = connect(CacheSettings(**{**usual, **settings}))
            node = Node(cache, Database(parsed({"DATABASE_URL": database_url})))
            stack.callback(node.database.close)
            stack.callback(cache.stop)
            cache.start()
            until(lambda: cache.hearing().hears, within_s=20, waiting_for=f"{name} to hold a lease")
            return node

        yield opened
    end_agents_below(folder)


def end_agents_below(folder: Path) -> None:
    """End the agents whose tables lie below a folder, without waiting until they notice that they are alone."""
    for agent in agents_below(folder):
        with contextlib.suppress(psutil.NoSuchProcess):
            agent.terminate()
            agent.wait(10)


def agents_below(folder: Path) -> list[psutil.Process]:
    """The agents whose tables lie below a folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or ()
        if "agent" in words and any(str(folder) in word for word in words):
            found.append(process)
    return [each for each in found if each.info["status"] != psutil.STATUS_ZOMBIE]


def run_python(program: str, *words: str) -> subprocess.Popen[str]:
    """Start a program of a few lines, which finds the tests' own modules."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
