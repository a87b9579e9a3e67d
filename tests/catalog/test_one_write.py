"""An answer leaves its worker whole or not at all: a kill between header and body would spoil a read for good."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest
from catalog.one_write import HoldingSocket, OneWriteResponse
from gunicorn.config import Config


class Wire:
    """A connection that notes each call."""

    def __init__(self) -> None:
        self.calls: list[bytes] = []

    def sendall(self, data: bytes) -> None:
        self.calls.append(data)

    def sendfile(self, file: io.BytesIO, offset: int, count: int | None) -> int:
        file.seek(offset)
        self.calls.append(file.read(count))
        return len(self.calls[-1])

    def fileno(self) -> int:
        return 42


def response(wire: Wire, headers: list[tuple[str, str]]) -> Any:
    request = SimpleNamespace(version=(1, 1), method="GET", should_close=lambda: False, headers=[])
    made = OneWriteResponse(request, wire, Config())  # type: ignore[arg-type]  # a wire is all it needs
    made.start_response("200 OK", headers)
    return made


def test_header_and_body_leave_in_one_call() -> None:
    """Two calls of the application's server are one call on the connection."""
    wire = Wire()
    answer = response(wire, [("Content-Length", "4")])
    answer.write(b"bell")
    assert len(wire.calls) == 1
    assert wire.calls[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert wire.calls[0].endswith(b"\r\n\r\nbell")
    answer.close()
    assert len(wire.calls) == 1


def test_an_answer_without_a_body_leaves_at_its_end() -> None:
    """A 304 has no body that could follow: it is sent when the answer is closed."""
    wire = Wire()
    answer = response(wire, [("Content-Length", "0")])
    answer.close()
    assert len(wire.calls) == 1
    assert wire.calls[0].endswith(b"\r\n\r\n")


def test_the_rest_of_a_long_body_follows_at_once() -> None:
    """Only the header is held; chunk after chunk goes out as it comes, in order, with the end behind it."""
    wire = Wire()
    answer = response(wire, [])
    for part in (b"one", b"two"):
        answer.write(part)
    answer.close()
    assert [call.rpartition(b"\r\n\r\n")[2] if number == 0 else call for number, call in enumerate(wire.calls)] == [
        b"3\r\none\r\n",
        b"3\r\ntwo\r\n",
        b"0\r\n\r\n",
    ]


def test_a_file_follows_what_was_held() -> None:
    """Sending a file by the kernel does not overtake the header."""
    wire = Wire()
    holding = HoldingSocket(wire)  # type: ignore[arg-type]
    holding.sendall(b"header ")
    holding.sendfile(io.BytesIO(b"a file"), 2, 4)
    assert wire.calls == [b"header ", b"file"]


def test_whatever_else_a_connection_can_do_it_still_can() -> None:
    """The other methods are the connection's own."""
    assert HoldingSocket(Wire()).fileno() == 42  # type: ignore[arg-type]


def test_an_application_that_fails_before_its_body_has_sent_nothing() -> None:
    """Then the edge has seen nothing and may ask another node."""
    wire = Wire()
    response(wire, [("Content-Length", "4")]).send_headers()
    assert wire.calls == []


@pytest.mark.parametrize("size", [1, 100_000])
def test_nothing_is_lost_or_doubled(size: int) -> None:
    """Whatever the body's size, the bytes on the wire are the header's and the body's, once."""
    wire = Wire()
    answer = response(wire, [("Content-Length", str(size))])
    answer.write(b"x" * size)
    answer.close()
    assert b"".join(wire.calls).count(b"x") == size
