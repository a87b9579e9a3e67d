"""A toy origin: answers HTTP/1.1 over a raw socket as a script says, in the test's own event loop.

A script is called for each request and gives what to do: a `Reply`, or one of HANG, RESET, CUT_SHORT.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from cluster.workload.request import Origins

HANG, RESET, CUT_SHORT = "hang", "reset", "cut short"
LINGER_0 = struct.pack("ii", 1, 0)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What to answer, after `after_s`; the connection is closed afterwards if `close`."""

    body: object = None
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    after_s: float = 0.0
    close: bool = False


Script = Callable[[Asked], Reply | str]


@dataclass(slots=True)
class Origin:
    """A running origin: where it is, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)

    @property
    def origins(self) -> Origins:
        """The same place as edge and as the only worker."""
        return Origins(self.url, {"node-1/worker-1": self.url})


@contextlib.asynccontextmanager
async def origin(script: Script) -> AsyncIterator[Origin]:
    """An origin on a free port, for as long as the context lasts."""
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            while (asked := await _read(reader)) is not None:
                running.asked.append(asked)
                if not await _act(script(asked), writer):
                    return
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            connections.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    running = Origin(f"http://127.0.0.1:{port}")
    try:
        yield running
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    line, *fields = head.strip().split("\r\n")
    method, path, _ = line.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in fields)}
    return Asked(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))


async def _act(what: Reply | str, writer: asyncio.StreamWriter) -> bool:
    """Do what the script said; whether the connection goes on."""
    if what == HANG:
        await asyncio.Event().wait()
    if what == RESET:
        peer: socket.socket = writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_0)
        writer.transport.abort()
        return False
    if what == CUT_SHORT:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nonly so much")
        await writer.drain()
        return False
    assert isinstance(what, Reply)
    await asyncio.sleep(what.after_s)
    body = what.body if isinstance(what.body, bytes) else json.dumps(what.body).encode()
    fields = (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *what.headers)
    head = f"HTTP/1.1 {what.status} Whatever\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields)
    writer.write(head.encode() + b"\r\n" + body)
    await writer.drain()
    return not what.close


def shop(versions: dict[str, int] | None = None) -> Script:
    """A script that serves products whose version rises by one with each PATCH, and sessions."""
    current = {} if versions is None else versions
    descriptions: dict[str, str] = {}

    def script(asked: Asked) -> Reply:
        if asked.path == "/api/session":
            user = json.loads(asked.body)["user"]
            return Reply({"user": user}, headers=(("Set-Cookie", f"who={user}; HttpOnly; Path=/"),))
        if asked.path == "/api/dashboard":
            return Reply({"user": asked.headers.get("cookie", "who=guest").removeprefix("who="), "locale": "en"})
        if asked.method == "PATCH":
            current[asked.path] = current.get(asked.path, 1) + 1
            descriptions[asked.path] = json.loads(asked.body)["description"]
        return Reply(
            {
                "id": 1,
                "name": "Bowl",
                "price": 3.5,
                "category": "kitchen",
                "description": descriptions.get(asked.path, "Round."),
                "version": current.get(asked.path, 1),
            },
            headers=(("Cache-Status", "tocsin-l2;hit, tocsin-l1;fwd=uri-miss"), ("X-Worker", "node-1/worker-1")),
        )

    return script
