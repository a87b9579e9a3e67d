"""A scriptable origin: it answers each path with what its test wrote down, byte for byte, and remembers every request.

    origin.page(answer("Cache-Control: max-age=60"), answer(status=304))      first this, then always that

A page is a path that no other test uses, so that all tests share one origin and one edge. Bodies are numbered by the
request that they answer: a client that sees "…#1" twice was answered from a store the second time.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socketserver
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

CLIENT_TIMEOUT_S = 20.0
NO_BODY = (204, 304)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the origin got it. Field names are lower case, lines of one name joined by commas."""

    method: str
    target: str
    fields: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Script:
    """One answer: a status, whole header lines as they are written, and a body (None: numbered)."""

    status: int
    lines: tuple[str, ...]
    body: bytes | None
    content_length: int | None = None  # None: the true one
    wait_for: threading.Event | None = None  # the answer is held back until it is set
    cut: bool = False  # the connection is closed in the middle of the body
    silent: bool = False  # the connection is closed without an answer


def answer(
    *lines: str,
    status: int = 200,
    body: bytes | None = None,
    content_length: int | None = None,
    wait_for: threading.Event | None = None,
    cut: bool = False,
    silent: bool = False,
) -> Script:
    """An answer to script: `answer("Cache-Control: max-age=60", 'ETag: "a"')`."""
    return Script(status, lines, body, content_length, wait_for, cut, silent)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the client got."""

    status: int
    lines: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every line of a field."""
        return [value for line, value in self.lines if line.lower() == name.lower()]

    def get(self, name: str) -> str | None:
        """A field's lines joined as RFC 9110 §5.3 joins them; None when there is none."""
        return ", ".join(self.all(name)) or None

    @property
    def member(self) -> str:
        """The edge's own member of Cache-Status."""
        return (self.get("Cache-Status") or "").rpartition(",")[2].strip()


@dataclass(slots=True)
class Page:
    """One path of the origin, and the client's side of it through the edge."""

    path: str
    script: tuple[Script, ...]
    edge_port: int
    requests: list[Request] = field(default_factory=list)

    def get(self, *lines: str) -> Answer:
        """GET through the edge with these header lines."""
        return self.ask("GET", *lines)

    def ask(
        self, method: str, *lines: str, body: bytes | None = None, suffix: str = "", host: str | None = None
    ) -> Answer:
        """One request on a connection of its own; `suffix` is added to the path."""
        connection = http.client.HTTPConnection("127.0.0.1", self.edge_port, timeout=CLIENT_TIMEOUT_S)
        with contextlib.closing(connection):
            connection.putrequest(method, self.path + suffix, skip_host=host is not None, skip_accept_encoding=True)
            for line in (*lines, *([f"Host: {host}"] if host else [])):
                name, _, value = line.partition(":")
                connection.putheader(name, value.strip(" "))
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            return Answer(response.status, tuple(response.getheaders()), response.read())

    @property
    def url(self) -> str:
        """The page as its clients name it."""
        return f"http://127.0.0.1:{self.edge_port}{self.path}"

    @property
    def asked(self) -> int:
        """How often the origin was asked for this page."""
        return len(self.requests)

    @property
    def last(self) -> Request:
        """The last request that reached the origin."""
        return self.requests[-1]


class Origin:
    """The server. `pages` are found by their path without the query."""

    def __init__(self) -> None:
        """Listen on a free port; `close` ends it."""
        self.pages: dict[str, Page] = {}
        self.edge_port = 0  # known once an edge stands before it
        self._numbers = itertools.count(1)
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="origin", kwargs={"poll_interval": 0.05}
        )
        self._thread.start()

    def page(self, *script: Script, path: str | None = None) -> Page:
        """A new page that gives these answers in turn, and the last one from then on."""
        page = Page(path or f"/page-{next(self._numbers)}", script, self.edge_port)
        self.pages[page.path] = page
        return page

    def close(self) -> None:
        """Stop serving and wait until that is so."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def _handler_of(origin: Origin) -> Callable[..., socketserver.BaseRequestHandler]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(ConnectionError, TimeoutError):
                while (request := _read(self.rfile)) is not None:
                    page = origin.pages[request.target.partition("?")[0]]
                    page.requests.append(request)
                    number = len(page.requests)
                    script = page.script[min(number, len(page.script)) - 1]
                    if script.wait_for is not None:
                        script.wait_for.wait(CLIENT_TIMEOUT_S)
                    if script.silent:
                        return
                    self.wfile.write(_written(script, request, number))
                    if script.cut:
                        return

    return Handler


def _read(stream: Any) -> Request | None:
    line = stream.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    fields: dict[str, str] = {}
    while (text := stream.readline().decode("latin-1").rstrip("\r\n")) != "":
        name, _, value = text.partition(":")
        name = name.lower()
        fields[name] = f"{fields[name]}, {value.strip()}" if name in fields else value.strip()
    return Request(line[0], line[1], fields, stream.read(int(fields.get("content-length", "0"))))


def _written(script: Script, request: Request, number: int) -> bytes:
    body = script.body if script.body is not None else f"{request.target}#{number}".encode()
    if script.status in NO_BODY:
        body = b""
    head = [f"HTTP/1.1 {script.status} {_phrase(script.status)}", *script.lines]
    if script.status not in NO_BODY and not any(line.lower().startswith("transfer-encoding") for line in script.lines):
        head.append(f"Content-Length: {len(body) if script.content_length is None else script.content_length}")
    sent = b"" if request.method == "HEAD" else body[: len(body) // 2] if script.cut else body
    return "\r\n".join([*head, "", ""]).encode("latin-1") + sent


def _phrase(status: int) -> str:
    with contextlib.suppress(ValueError):
        return HTTPStatus(status).phrase
    return "Unheard Of"


@contextlib.contextmanager
def standing_origin() -> Iterator[Origin]:
    """An origin that serves while the block runs."""
    origin = Origin()
    try:
        yield origin
    finally:
        origin.close()
