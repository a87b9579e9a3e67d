"""A toy cluster: an origin that commits, a database as docs/contract.md §4 has it, a launcher that pretends."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cluster.demo.stage import Stage
from cluster.launcher import Deed, Launcher
from cluster.status import Data, Endpoint, Node, Server, State, Status
from cluster.target import Kind, Target
from tests.workload.origin import Asked, Reply, Script, shop

TABLES = """
CREATE TABLE products (id INTEGER PRIMARY KEY, version INTEGER, deleted BOOLEAN, category TEXT);
CREATE TABLE audit (id INTEGER PRIMARY KEY, "key" TEXT, version INTEGER, operation_id TEXT, node TEXT, kind TEXT);
"""


def database_at(path: Path, *, products: int = 20) -> Path:
    """A database with so many products at version 1."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(TABLES)
        connection.executemany(
            "INSERT INTO products VALUES (?, 1, 0, 'kitchen')", [(each,) for each in range(1, products + 1)]
        )
    return path


def committing(database: Path) -> Script:
    """The toy shop, which commits each write with its audit row before it answers."""
    serve = shop()

    def script(asked: Asked) -> Reply | str:
        reply = serve(asked)
        if asked.method == "PATCH" and isinstance(reply, Reply) and isinstance(reply.body, dict):
            product, version = int(asked.path.rpartition("/")[2]), reply.body["version"]
            with closing(sqlite3.connect(database)) as connection, connection:
                connection.execute("UPDATE products SET version = ? WHERE id = ?", (version, product))
                connection.execute(
                    "INSERT INTO audit (key, version, operation_id, node, kind) VALUES (?, ?, ?, 'node-1', 'update')",
                    (f"product:{product}", version, asked.headers["idempotency-key"]),
                )
        return reply

    return script


def forgetful(database: Path) -> Script:
    """The toy shop, whose readers never hear of any write."""
    serve = committing(database)

    def script(asked: Asked) -> Reply | str:
        reply = serve(asked)
        if asked.method == "GET" and isinstance(reply, Reply) and "version" in json.dumps(reply.body):
            assert isinstance(reply.body, dict)
            return Reply({**reply.body, "version": 1, "description": "Round."}, headers=reply.headers)
        return reply

    return script


@dataclass(slots=True)
class ToyLauncher:
    """Pretends: kills and restarts are noted, and change what `status` says."""

    url: str
    database: Path
    nodes: int = 2
    dead: set[str] = field(default_factory=set)
    did: list[str] = field(default_factory=list)

    def status(self) -> Status:
        """Two nodes of one worker each, all at the same origin."""
        return Status(
            launcher="toy",
            run_dir="",
            strategy="ttl",
            write_path="cache-aside",
            secret_file="",
            edge=Endpoint(name="edge", pid=1, state=State.RUNNING, url=self.url),
            nodes=tuple(self._node(f"node-{number}") for number in range(1, self.nodes + 1)),
            redis=Endpoint(name="redis", pid=2, state=State.RUNNING, url="redis://nowhere"),
            database=Data(url=f"sqlite:///{self.database}", kind="sqlite"),
            flusher=Server(name="flusher", pid=3, state=State.RUNNING),
        )

    def _node(self, name: str) -> Node:
        state = State.DEAD if name in self.dead else State.RUNNING
        pid = None if state is State.DEAD else 100 + len(self.did)
        worker = Endpoint(name=f"{name}/worker-1", pid=pid, state=state, url=self.url)
        return Node(name=name, pid=pid, state=state, url=self.url, workers=(worker,))

    def refusal(self, *_: object) -> None:
        """Everything can be done to a toy."""

    def kill(self, target: Target) -> Deed:
        """Noted; a worker is replaced at once."""
        self.did.append(f"kill {target}")
        if target.kind is Kind.NODE:
            self.dead.add(target.name)
        return Deed((f"killed {target}",), ())

    def restart(self, target: Target) -> Deed:
        """Noted."""
        self.did.append(f"restart {target}")
        self.dead.discard(target.name)
        return Deed((f"restarted {target}",), ())


@dataclass(frozen=True, slots=True)
class ToyStage(Stage):
    """A stage with a toy launcher."""

    toy: Any = None

    @property
    def launcher(self) -> Launcher:
        """The toy."""
        launcher: Launcher = self.toy
        return launcher
