"""A node as it runs in earnest: gunicorn, its workers and their own addresses, as processes of the test."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.catalog.nodes import end_agents_below
from tests.catalog.shop import environment
from tests.redis_server import free_port
from tests.until import until

READY_WITHIN_S = 30.0
ENDS_WITHIN_S = 15.0


@dataclass
class RunningNode:
    """One gunicorn master with two workers."""

    folder: Path
    url: str
    worker_urls: list[str]
    process: subprocess.Popen[bytes]

    def pid(self, slot: int) -> int:
        """The process of the worker that holds a slot, by its pid file."""
        return int((self.folder / f"worker-{slot}.pid").read_text(encoding="ascii"))

    def served_by(self, url: str) -> str | None:
        """The name of the worker that answers there, or None where nobody does."""
        try:
            return requests.get(f"{url}/healthz", timeout=2).headers["X-Worker"]
        except requests.RequestException:
            return None

    def answers_by_name(self) -> bool:
        """Does each worker answer, alone, at its own address?"""
        return all(
            {self.served_by(url) for _ in range(4)} == {f"node-1/worker-{slot}"}
            for slot, url in enumerate(self.worker_urls, start=1)
        )

    def log(self) -> str:
        """Everything that the node has written."""
        return (self.folder / "node.log").read_text(errors="replace")


@contextlib.contextmanager
def running_node(folder: Path, *, database_url: str, redis_url: str, **changes: str) -> Iterator[RunningNode]:
    """Start a node and wait until its workers answer by name; end it afterwards."""
    (folder / "metrics").mkdir()
    ports = [free_port() for _ in range(3)]
    binds = [f"127.0.0.1:{port}" for port in ports]
    chosen = environment(
        DATABASE_URL=database_url,
        REDIS_URL=redis_url,
        CATALOG_BIND=binds[0],
        CATALOG_WORKER_BINDS=",".join(binds[1:]),
        CATALOG_RUN_DIR=str(folder),
        PROMETHEUS_MULTIPROC_DIR=str(folder / "metrics"),
        **changes,
    )
    command = [sys.executable, "-m", "catalog", "serve"]
    with (folder / "node.log").open("ab") as log:
        process = subprocess.Popen(command, env={**inherited(), **chosen}, cwd=folder, stdout=log, stderr=log)
    node = RunningNode(folder, f"http://{binds[0]}", [f"http://{bind}" for bind in binds[1:]], process)
    try:
        until(lambda: answers_or_died(node), within_s=READY_WITHIN_S, waiting_for="both workers to answer by name")
        yield node
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(ENDS_WITHIN_S)
        end_agents_below(folder)


def answers_or_died(node: RunningNode) -> bool:
    """As `answers_by_name`; fails with the log when the node is no more."""
    assert node.process.poll() is None, f"the node ended with {node.process.poll()}:\n{node.log()}"
    return node.answers_by_name()


def inherited() -> dict[str, str]:
    """What a child needs of this process's own environment: nothing of ours."""
    return {name: value for name, value in os.environ.items() if name in ("PATH", "PYTHONPATH", "HOME", "LANG")}
