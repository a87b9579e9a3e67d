"""Sink of an edge: the marks in nginx's shared memory, told over a private socket (nginx/cache/control.js).

    Follower ── apply · renew · … ──▶ here ── HTTP, one call at a time ──▶ control/socket ──▶ marks ──▶ every worker

The edge's memory is divided into terms, and this sink names them at random. What always holds:

- Doubt begins a new term. No answer, a refusal, marks that are gone: the call may have happened, or may happen at any
  later time, in a worker that was stopped. So nothing is repeated in the term where that could matter; `SinkLost` is
  raised, and `take_over` begins a term in which nothing was kept yet. All that the edge had stored is then a miss.
- A connection that the edge closed is no doubt: whoever closed it won't carry out what came over it later, and what
  was carried out may be repeated. So the one call is sent again, on a new connection; a reload costs nothing.
- A deadline is told on the edge's own clock. The edge was asked for it before, at `asked`; its answer was read by
  `answered`; so it shows at least `its + (now - answered)` at any later time, and a deadline that is translated by
  this ends no later there than here. Both are the machine's boot clock, which nobody can set. Were it the wall clock,
  which a JavaScript Date shows:
      agent: renews to 12:00:01 ─▶ killed      clock: set back by an hour      edge: stale answers until 12:00:01
"""

import http.client
import os
import secrets
import socket
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tocsin.edge.group import group_in
from tocsin.position import Position, epoch_text
from tocsin.sink import SinkLost

WITHIN_S = 2.0
"""How long an answer may take. Longer than a busy machine needs: it costs the edge all that it has stored."""

BODY_BYTES_MAX = 64 * 1024
ADDRESS_BYTES_MAX = 100  # of a socket's path; the kernel takes 107


def random_term() -> str:
    """Return a name for a term that no other has."""
    return secrets.token_hex(8)


class EdgeSink:
    """One edge, by the path of its control socket; see `tocsin.sink.Sink`."""

    def __init__(
        self, path: Path, *, secret: str, now: Callable[[], float], term: Callable[[], str] = random_term
    ) -> None:
        self._path = path
        self._secret = secret
        self._now = now
        self._new_term = term
        self._term = ""
        self._ahead_s = 0.0
        self._connection: http.client.HTTPConnection | None = None

    def take_over(self) -> Position:
        """Begin a term that holds nothing, and compare the clocks. What an agent before this one told is forgotten."""
        self.close()
        answer = self._call("GET", "/clock", b"")
        self._ahead_s = float(answer) - self._now()
        self._begin(Position())
        return Position()

    def suspend(self) -> None:
        """End the lease."""
        if self._term:
            self._tell("/suspend", self._term)

    def renew(self, deadline_s: float) -> None:
        """Prolong the lease until `deadline_s` of our clock."""
        self._tell("/renew", f"{self._term} {max(0.0, deadline_s + self._ahead_s):.6f}")

    def apply(self, sequence: int, names: Iterable[str]) -> None:
        """Mark names in as many calls as they need; the last one also takes `sequence` as the position."""
        head = f"{self._term} {sequence}"
        *first, last = _parts(sorted({group_in(name) for name in names}))
        for part in first:
            self._tell("/mark", "\n".join((head, *part)))
        self._tell("/apply", "\n".join((head, *last)))

    def flush(self, position: Position) -> None:
        """Begin a term at `position`."""
        self._begin(position)

    def close(self) -> None:
        """Close the connection. Never raises."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _begin(self, position: Position) -> None:
        self._term = self._new_term()
        self._tell("/begin", f"{self._term} {epoch_text(position.epoch)} {position.sequence}")

    def _tell(self, call: str, body: str) -> None:
        self._call("POST", call, body.encode("ascii"))

    def _call(self, method: str, call: str, body: bytes) -> str:
        reused = self._connection is not None
        try:
            try:
                return self._exchange(method, call, body)
            except (ConnectionError, http.client.BadStatusLine):
                if not reused:
                    raise
                self.close()
                return self._exchange(method, call, body)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise SinkLost(
                f"the edge at {self._path} did not answer {call}: {error or type(error).__name__}"
            ) from error

    def _exchange(self, method: str, call: str, body: bytes) -> str:
        connection = self._connection
        if connection is None:
            connection = self._connection = _SocketConnection(self._path)
        connection.request(method, call, body, {"Tocsin-Secret": self._secret})
        response = connection.getresponse()
        answer = response.read()
        if response.status not in (200, 204):
            raise SinkLost(f"the edge at {self._path} refused {call}: {_REASONS.get(response.status, response.status)}")
        return answer.decode("ascii", "replace")


_REASONS = {
    403: "it has another secret (403)",
    409: "it is in another term, or has lost marks (409)",
    507: "its memory for marks is full (507)",
}


class _SocketConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, however long its path is."""

    def __init__(self, path: Path) -> None:
        super().__init__("edge", timeout=WITHIN_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(WITHIN_S)
        if len(os.fsencode(self._path)) <= ADDRESS_BYTES_MAX:
            self.sock.connect(str(self._path))
            return
        folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self.sock.connect(f"/proc/self/fd/{folder}/{self._path.name}")
        finally:
            os.close(folder)


def _parts(groups: list[str]) -> Iterator[list[str]]:
    """Yield the groups in parts of a body's size; at least one part, which may be empty."""
    part: list[str] = []
    size = 0
    for group in groups:
        if part and size + len(group) + 1 > BODY_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(group)
        size += len(group) + 1
    yield part
