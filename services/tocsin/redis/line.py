"""Line: one connection to Redis, and the lines of a process; as little as there can be between a request and its bytes.

    ask(words) ─▶ hiredis packs ─▶ send ── Redis ──▶ receive ─▶ hiredis parses ─▶ reply

redis-py opens it: address, TLS, password, database are its business. From then on this module has the socket. A GET
through redis-py's client costs twice what the same GET costs here; the difference is locks, retries, metrics and
callbacks that a script which is sent once has no use for.

What always holds:

- A line that was given up in the middle of an answer is closed, whatever interrupted it, a timeout of gevent's too:
  the next request would read what was meant for this one.
- A line that rested is looked at before it is used: bytes that nobody asked for, or an end, mean that it is gone.
- At most so many lines are open; who finds none waits a stated time.
"""

import _socket
import select
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import hiredis
from redis.connection import AbstractConnection, DefaultParser
from redis.exceptions import ConnectionError, InvalidResponse, TimeoutError

Words = tuple[str | int | bytes, ...]

RESTED_S = 0.01
"""A line that was used this short a time ago is not looked at: that would cost a system call for each request."""
_CHUNK_BYTES = 1 << 16
_pack: Callable[[Words], bytes] = hiredis.pack_command  # type: ignore[assignment]  # its stub knows one word only


class Line:
    """One connection; for one thread, or greenlet, at a time."""

    def __init__(self, connection: AbstractConnection, *, timeout_s: float) -> None:
        """Connect. Raises redis-py's `ConnectionError` and `TimeoutError`, and `OSError`."""
        self._connection = connection
        connection.connect()  # type: ignore[no-untyped-call]
        opened: Any = connection._sock
        if opened is None:
            raise ConnectionError("the connection was closed at once")
        self._socket: socket.socket = opened
        self._reader = hiredis.Reader(protocolError=InvalidResponse, replyError=DefaultParser.parse_error)
        self._used_s = time.monotonic()
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN | select.POLLHUP | select.POLLERR)
        if isinstance(opened, _socket.socket) and not isinstance(opened, ssl.SSLSocket):
            # Timed by the kernel: Python's own timeout asks `poll` before every single receive. Not for sockets of
            # gevent's, which must not block the thread, nor under TLS, which takes an early return for an error.
            kernel_time = struct.pack("ll", int(timeout_s), int(timeout_s % 1 * 1e6))
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, kernel_time)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, kernel_time)
            opened.setblocking(True)

    @property
    def usable(self) -> bool:
        """Whether nothing speaks against the next request."""
        return time.monotonic() < self._used_s + RESTED_S or not self._poll.poll(0)

    def ask(self, *requests: Words) -> list[Any]:
        """Send the requests at once and return their replies, errors of Redis's own among them as values.

        Raises redis-py's `ConnectionError` and `TimeoutError`, and `OSError`; the line is closed then.
        """
        packed = _pack(requests[0]) if len(requests) == 1 else b"".join(map(_pack, requests))
        left = len(requests)
        replies: list[Any] = []
        parse, feed, receive = self._reader.gets, self._reader.feed, self._socket.recv
        try:
            self._socket.sendall(packed)
            while left:
                received = receive(_CHUNK_BYTES)
                if not received:
                    raise ConnectionError("Redis closed the connection")
                feed(received)
                while left and (reply := parse()) is not False:
                    replies.append(reply)
                    left -= 1
        except BlockingIOError as error:  # the kernel's time was up
            self.close()
            raise TimeoutError("timed out") from error
        except BaseException:
            self.close()
            raise
        self._used_s = time.monotonic()
        return replies

    def hear(self, within_s: float) -> Any:
        """Return what Redis says next by itself, or None if that is nothing within `within_s` seconds.

        Raises as `ask` does; the line is closed then.
        """
        parse = self._reader.gets
        try:
            while (said := parse()) is False:
                # Waits for: the next message.
                if not self._poll.poll(max(0.0, within_s) * 1000):
                    return None
                received = self._socket.recv(_CHUNK_BYTES)
                if not received:
                    raise ConnectionError("Redis closed the connection")
                self._reader.feed(received)
        except BaseException:
            self.close()
            raise
        return said

    def close(self) -> None:
        """Close it; never raises."""
        self._connection.disconnect()  # type: ignore[no-untyped-call]


class Lines:
    """The lines of one process, at most `lines_max`; who finds none idle waits `timeout_s`."""

    def __init__(self, connect: Callable[[], Line], *, lines_max: int, timeout_s: float) -> None:
        self._connect = connect
        self._timeout_s = timeout_s
        self._idle: deque[Line] = deque()
        self._unopened = lines_max
        self._waiting = 0
        self._closed = False
        self._freed = threading.Condition()

    def take(self) -> Line:
        """Return a line for one request; raises as `Line` does, and `ConnectionError` if there was none in time."""
        while True:
            try:
                line = self._idle.pop()  # the one used last: it is the likeliest to be alive
            except IndexError:
                if self._may_open():
                    return self._open()
                continue
            if line.usable:
                return line
            self.lose(line)

    def give_back(self, line: Line) -> None:
        """Say that `line` may be used by others."""
        if self._closed:
            line.close()
            return
        self._idle.append(line)
        # After the line is there. Somebody who begins to wait after this look finds it before waiting.
        if self._waiting:
            with self._freed:
                self._freed.notify()

    def lose(self, line: Line) -> None:
        """Say that `line` is of no use any more."""
        line.close()
        with self._freed:
            self._unopened += 1
            self._freed.notify()

    def close(self) -> None:
        """Close the idle lines; those in use are closed when they are given back."""
        self._closed = True
        while self._idle:
            self.lose(self._idle.pop())

    def _may_open(self) -> bool:
        """Wait until a line is idle or one may be opened; return whether it is the latter, which is then reserved."""
        with self._freed:
            self._waiting += 1
            try:
                # Waits for: another thread's request to end.
                free = self._freed.wait_for(lambda: self._idle or self._unopened, self._timeout_s)
            finally:
                self._waiting -= 1
            if not free:
                raise ConnectionError(f"no free connection within {self._timeout_s} s")
            if self._unopened:
                self._unopened -= 1
                return True
            return False

    def _open(self) -> Line:
        try:
            return self._connect()
        except BaseException:
            with self._freed:
                self._unopened += 1
                self._freed.notify()
            raise
