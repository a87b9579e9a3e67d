"""Status: what a cluster is right now, as values. `status --json` is these values, encoded; programs depend on it.

    {"launcher", "edge": {"url"},
     "nodes": [{"name", "url", "pid", "state", "workers": [{"name", "pid", "state", "url"}]}],
     "redis": {"url", "state"}, "database": {"url"}, "run_dir"}

Fields may be added to that shape, never renamed or removed (`docs/contract.md` §7; tests/cluster/test_status.py).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator

import msgspec


class State(enum.StrEnum):
    """What a server does: it runs, is stopped by a signal (or frozen), or is gone. A zombie is dead."""

    RUNNING = "running"
    PAUSED = "paused"
    DEAD = "dead"


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """One server without an address (flusher, link server). `pid` is its leader's on this host; None when dead."""

    name: str
    pid: int | None
    state: State


class Endpoint(Server, frozen=True, kw_only=True):
    """A server with an address: edge, Redis, a worker."""

    url: str


class Node(Endpoint, frozen=True, kw_only=True):
    """An application server (a gunicorn master) and its workers. `url`: any of its workers answers there."""

    workers: tuple[Endpoint, ...]


class Data(msgspec.Struct, frozen=True, kw_only=True):
    """The database. `kind`: sqlite, postgresql, mariadb. `url` holds the password where there is one."""

    url: str
    kind: str


class LinkState(msgspec.Struct, frozen=True, kw_only=True):
    """One link. `upstream` is the way from `name`'s left side to its right; modes are `pass`, `blackhole`, …

    Counters are evidence, since the link server started: bytes delivered, swallowed and delivered late, per direction;
    of `messages` to subscribers those that a fault was about, and those that it touched, whose last are `touched`.
    """

    name: str
    listen: str
    to: str
    upstream: str
    downstream: str
    connections: int
    accepted: int
    broken: int
    passed_bytes: tuple[int, int]
    swallowed_bytes: tuple[int, int]
    late_bytes: tuple[int, int] = (0, 0)
    messages: tuple[int, int] = (0, 0)
    touched: tuple[str, ...] = ()


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """A whole cluster. `cut`: names of the paths that are cut now. `links` is None where there are none."""

    launcher: str
    run_dir: str
    strategy: str
    write_path: str
    secret_file: str
    edge: Endpoint
    nodes: tuple[Node, ...]
    redis: Endpoint
    database: Data
    flusher: Server
    edge_agent: Server | None = None
    link_server: Server | None = None
    links: tuple[LinkState, ...] | None = None
    cut: tuple[str, ...] = ()

    def servers(self) -> Iterator[Server]:
        """Every server a verb can name, workers left out: nodes, Redis, edge and its agent, flusher, link server."""
        yield from self.nodes
        yield from (self.redis, self.edge, self.flusher)
        if self.edge_agent is not None:
            yield self.edge_agent
        if self.link_server is not None:
            yield self.link_server

    def everything(self) -> Iterator[Server]:
        """Every server and every worker."""
        for server in self.servers():
            yield server
            if isinstance(server, Node):
                yield from server.workers

    def named(self, state: State) -> tuple[str, ...]:
        """Names of the servers in a state; workers only where their node itself is not in it."""
        names = [server.name for server in self.servers() if server.state is state]
        for node in self.nodes:
            if node.state is not state:
                names += [worker.name for worker in node.workers if worker.state is state]
        return tuple(names)

    def as_json(self) -> str:
        """The document that `status --json` prints."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()


def parse(document: str | bytes) -> Status:
    """A `status --json` document as values. Raises msgspec.DecodeError."""
    return msgspec.json.decode(document, type=Status)
