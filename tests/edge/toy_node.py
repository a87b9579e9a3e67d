"""A toy node for the edge's tests: a raw TCP server whose every misbehaviour is a line of the test that uses it.

It never shares code with the catalogue. Its port stays its own while it is "dead": a second socket, bound but not
listening, holds it, so that connections are refused and nobody else can take it.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

HANG_S = 30.0  # longer than any wait of the edge; stop() ends it at once


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived. Header names in lower case; `connection` numbers the TCP connections of this node from 1."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    connection: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close the connection, after these last words."""

    last_words: bytes = b""


class Reset:
    """Reset the connection (RST)."""


class Hang:
    """Keep the connection open and silent."""


Reply = bytes | Close | Reset | Hang
Behaviour = Callable[[Request], Reply]


def always(reply: Reply) -> Behaviour:
    """The same for every request."""

    def behave(request: Request) -> Reply:
        return reply

    return behave


def answer(
    body: str = "hello", *, status: str = "200 OK", headers: tuple[tuple[str, str], ...] = (), length: int | None = None
) -> bytes:
    """An HTTP/1.1 response that keeps its connection alive."""
    lines = [
        f"HTTP/1.1 {status}",
        *(f"{name}: {value}" for name, value in headers),
        f"Content-Length: {len(body) if length is None else length}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


@dataclass
class ToyNode:
    """One node: `requests` is what it was sent, `behave` what it does with the next request."""

    name: str
    behave: Behaviour
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._going = threading.Event()
        self._going.set()
        self._stopped = threading.Event()
        self._sockets: list[socket.socket] = []
        self._listener: socket.socket | None = None
        self._reservation = self._bound(0)
        self.port = int(self._reservation.getsockname()[1])

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self._stopped.set()
        self._going.set()
        self._reservation.close()

    def start(self) -> None:
        """Listen; after `kill`, on the same port."""
        listener = self._bound(self.port)
        listener.listen(64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def kill(self) -> None:
        """End as a killed process does: the port refuses, and every connection is gone."""
        if self._listener is not None:
            # Only shutdown wakes a thread that waits in accept; close alone would leave it, and the port, listening.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            open_sockets, self._sockets = self._sockets, []
        for each in open_sockets:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def pause(self) -> None:
        """Be a stopped process: connections are accepted (by the kernel), nothing is read or answered."""
        self._going.clear()

    def resume(self) -> None:
        """Go on, with all that has arrived meanwhile."""
        self._going.set()

    def targets(self, method: str | None = None) -> list[str]:
        """The request targets that arrived, of one method or of all."""
        return [request.target for request in self.requests if method in (None, request.method)]

    @staticmethod
    def _bound(port: int) -> socket.socket:
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        bound.bind(("127.0.0.1", port))
        return bound

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                accepted, _ = listener.accept()
            except OSError:  # killed
                return
            with self._lock:
                self.connections += 1
                number = self.connections
                self._sockets.append(accepted)
            threading.Thread(target=self._serve, args=(accepted, number), daemon=True).start()

    def _serve(self, accepted: socket.socket, number: int) -> None:
        with accepted, contextlib.suppress(OSError), accepted.makefile("rb") as stream:
            while not self._stopped.is_set():
                self._going.wait(HANG_S)
                line = stream.readline().decode("latin-1")
                if not line:
                    return
                method, target, _ = line.split(" ", 2)
                headers: dict[str, str] = {}
                while (field_line := stream.readline().decode("latin-1").strip()) != "":
                    name, _, value = field_line.partition(":")
                    headers[name.lower()] = value.strip()
                body = stream.read(int(headers.get("content-length", "0")))
                self._going.wait(HANG_S)
                request = Request(method, target, headers, body, number)
                with self._lock:
                    self.requests.append(request)
                if not self._carry_out(self.behave(request), accepted):
                    return
                if headers.get("connection", "").lower() == "close":  # RFC 9112 §9.6
                    accepted.shutdown(socket.SHUT_RDWR)
                    return

    def _carry_out(self, reply: Reply, accepted: socket.socket) -> bool:
        """Do to the connection what the behaviour says; true if it lives on."""
        match reply:
            case bytes():
                accepted.sendall(reply)
                return True
            case Close(last_words):
                accepted.sendall(last_words)
                accepted.shutdown(socket.SHUT_RDWR)
            case Reset():
                accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case Hang():
                self._stopped.wait(HANG_S)
        return False
