"""A toy server behind a link: echoes what it hears, can speak first, and remembers how each connection ended."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field


@dataclass
class Heard:
    """One connection as the server saw it. `end`: None while open, `fin`, or `reset`."""

    conversation: socket.socket
    received: bytes = b""
    end: str | None = None

    def push(self, data: bytes) -> None:
        """Speak without having been asked, as a publisher does."""
        self.conversation.sendall(data)


@dataclass
class EchoServer:
    """Listens on a free loopback port; one thread per connection."""

    silent: bool = False  # hear, but do not echo
    connections: list[Heard] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Open the port and start to accept."""
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def received(self) -> bytes:
        """Everything heard on all connections."""
        return b"".join(heard.received for heard in self.connections)

    def close(self) -> None:
        """Stop listening, end every conversation, and wait for the threads."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._threads[0].join(5)
        for heard in self.connections:
            with contextlib.suppress(OSError):
                heard.conversation.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                conversation, _ = self.listener.accept()
            except OSError:  # closed
                return
            heard = Heard(conversation)
            self.connections.append(heard)
            thread = threading.Thread(target=self._converse, args=(heard,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _converse(self, heard: Heard) -> None:
        with heard.conversation as conversation:
            try:
                while data := conversation.recv(65536):
                    heard.received += data
                    if not self.silent:
                        conversation.sendall(data)
                heard.end = "fin"
            except OSError:
                heard.end = "reset"
