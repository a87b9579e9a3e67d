"""One write: an answer's header fields and the beginning of its body leave the worker in one call.

gunicorn sends the header by itself, and the body with a second call. A worker that is killed between the two,

    worker: header ......... SIGKILL            the body never comes
    edge:          reads it, has begun to answer ................ can only break the connection to the client

has spoiled a read that another node could have answered: the edge asks again only while it has seen nothing.
What always holds: no byte of an answer leaves before the first of its body is there, or it is known to have none.
"""

from __future__ import annotations

import socket
from typing import Any

from gunicorn.http import wsgi


class HoldingSocket:
    """A connection that keeps what is sent first until more is sent, or until `release`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._held: bytes | None = None
        self._holds = True

    def sendall(self, data: bytes) -> None:
        """Hold the first call's bytes; send them together with the second's."""
        if self._holds and self._held is None:
            self._held = data
            return
        self._connection.sendall(self._taken() + data)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send what is held, then the file, as `socket.sendfile` does."""
        self.release()
        return self._connection.sendfile(file, offset, count)

    def release(self) -> None:
        """Send what is held, and hold nothing any more."""
        held = self._taken()
        if held:
            self._connection.sendall(held)

    def _taken(self) -> bytes:
        held, self._held, self._holds = self._held or b"", None, False
        return held

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class OneWriteResponse(wsgi.Response):  # type: ignore[misc]
    """gunicorn's HTTP/1 response on a connection that holds its header back."""

    def __init__(self, req: Any, sock: socket.socket, cfg: Any) -> None:
        super().__init__(req, HoldingSocket(sock), cfg)

    def close(self) -> None:
        """End the answer as gunicorn does; an answer without a body leaves now."""
        super().close()
        self.sock.release()


def install() -> None:
    """Make gunicorn's workers, of every class, answer in this way. gunicorn has no setting for it (27.0)."""
    wsgi.Response = OneWriteResponse
