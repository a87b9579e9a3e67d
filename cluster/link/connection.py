"""One connection through a link: two sides, two pipes.

    client ◀─transport─▶ Side ══ upstream Pipe, its carrier ════▶ Side ◀─transport─▶ server
                         Side ◀══ downstream Pipe, its carrier ══ Side

A side hears its transport and hands what it hears to the carrier of the pipe that begins at it. A pipe delivers to the
transport of the side where it ends. What always holds: bytes leave a pipe in the order in which its carrier delivers
them; a side whose peer's buffer is full is not read (so memory is bounded by the kernel's and asyncio's buffers). What
Redis says is framed from its first byte on (`resp`), so that a fault on single messages can begin at any moment.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cluster.link.resp import Framing

if TYPE_CHECKING:
    from cluster.link.faults import Carrier, Fault
    from cluster.link.link import Link

DIAL_S = 5.0
PART_S = 2.0
TOUCHED_SHOWN = 16
LINGER_NOTHING = struct.pack("ii", 1, 0)  # close() sends RST instead of FIN


@dataclass(slots=True)
class Tally:
    """Bytes of one direction of a link, over all its connections: what was delivered, swallowed, delivered late; and
    the messages that a fault on messages was about, those that it touched, and the last of these by their beginnings.
    """

    passed_bytes: int = 0
    swallowed_bytes: int = 0
    late_bytes: int = 0
    messages: int = 0
    messages_touched: int = 0
    touched: deque[str] = field(default_factory=lambda: deque(maxlen=TOUCHED_SHOWN))


class Side(asyncio.Protocol):
    """One end of the connection, as the link sees it: the accepted socket, or the dialled one."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.transport: asyncio.Transport | None = None
        self.outgoing: Pipe | None = None  # the pipe that begins here
        self.other: Side | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the socket is open."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.connection.opened(self)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes came in at this end."""
        assert self.outgoing is not None
        if self.connection.over:
            return
        if self.connection.dialling:
            self.connection.keep(data)
        else:
            self.outgoing.take(data)

    def eof_received(self) -> bool:
        """asyncio: this end sends no more. True keeps the way back open (a half-closed connection is one)."""
        assert self.outgoing is not None
        if self.connection.over:
            return False
        if self.connection.dialling:
            self.connection.early_end = True
        else:
            self.outgoing.carrier.end()
        return True

    def part(self) -> None:
        """Say FIN after what waits to be sent, and hear the other end out until it does the same, or PART_S is over.

        A socket that is closed with unread bytes in it sends RST, so that an orderly end would look like a reset
        whenever the node was faster:   node: connect, HELLO ......   link: close() with HELLO unread -> RST
        """
        if self.transport is not None:
            self.transport.resume_reading()
            self.transport.write_eof()
            asyncio.get_running_loop().call_later(PART_S, self.transport.abort)

    def tear(self) -> None:
        """Say RST at once; what waits to be sent is thrown away."""
        if self.transport is not None:
            opened: socket.socket = self.transport.get_extra_info("socket")
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOTHING)
            self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # asyncio's signature
        """asyncio: the socket is gone; on our own wish, or because this end broke it."""
        assert self.outgoing is not None
        self.transport = None
        if not self.connection.over:
            self.outgoing.carrier.broke()

    def pause_writing(self) -> None:
        """asyncio: too much waits to be sent to this end, so the other end is not read for a while."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        """asyncio: this end takes bytes again."""
        if self.other is not None and self.other.transport is not None:
            self.other.transport.resume_reading()


class Pipe:
    """One direction of one connection, from a side to the other."""

    def __init__(
        self, connection: Connection, source: Side, sink: Side, tally: Tally, fault: Fault, *, framed: bool = False
    ) -> None:
        self.connection = connection
        self.sink = sink
        self.tally = tally
        self.ended = False
        self.framing = Framing() if framed else None
        self._source = source
        source.outgoing, source.other = self, sink
        self.carrier: Carrier = fault.carrier(self)

    def take(self, data: bytes) -> None:
        """Bytes came in where this pipe begins; its framing, if it has one, knows them once the carrier has them."""
        self.carrier.chunk(data)
        if self.framing is not None:
            self.framing.feed(data)

    def deliver(self, data: bytes) -> None:
        """Write bytes to the side where this pipe ends. Bytes for a side that is gone have no reader."""
        if self.sink.transport is not None and not self.sink.transport.is_closing():
            self.tally.passed_bytes += len(data)
            self.sink.transport.write(data)

    def swallow(self, data: bytes) -> None:
        """Count bytes that go nowhere."""
        self.tally.swallowed_bytes += len(data)

    def hold(self) -> None:
        """Read no more where this pipe begins, for a while."""
        if self._source.transport is not None:
            self._source.transport.pause_reading()

    def release(self) -> None:
        """Read on."""
        if self._source.transport is not None and not self._source.transport.is_closing():
            self._source.transport.resume_reading()

    def finish(self) -> None:
        """Tell the side where this pipe ends that no more will come; after both pipes the connection is forgotten."""
        self.ended = True
        if self.sink.transport is not None and not self.sink.transport.is_closing():
            self.sink.transport.write_eof()
        self.connection.settle()

    def suffer(self, fault: Fault) -> None:
        """Put another fault (or none) on this pipe, then let the carrier that served it so far undo what it must."""
        before = self.carrier
        self.carrier = fault.carrier(self)
        before.heal()


class Connection:
    """A connection that a link accepted, and the one that it dialled for it."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.over = False
        self.dialled = False
        self.dialling = False
        self.early: list[bytes] = []  # what came before the server was reached, and whether the end came too
        self.early_end = False
        self.client, self.server = Side(self), Side(self)

    def opened(self, side: Side) -> None:
        """A side's socket is open: the accepted one makes the pipes and dials, unless a fault forbids either."""
        if side is self.server:
            return
        self.link.connections.add(self)
        self.link.accepted += 1
        # Pipes first: a fault that breaks connections does it as its carrier is made, and then nobody dials.
        self.upstream = Pipe(self, self.client, self.server, self.link.upstream_tally, self.link.upstream)
        self.downstream = Pipe(
            self, self.server, self.client, self.link.downstream_tally, self.link.downstream, framed=self.link.resp
        )
        if self.link.upstream.dials and not self.over and self.client.transport is not None:
            self.dialled = self.dialling = True
            self.dial = asyncio.get_running_loop().create_task(self._dial())  # referenced, or it could be collected

    async def _dial(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(DIAL_S):
                await loop.create_connection(lambda: self.server, self.link.to_host, self.link.to_port)
        except OSError:  # refused, unreachable, or TimeoutError: as a link can't refuse what it accepted, it tears it
            self.reset()
            return
        if self.over:  # torn while it was dialled: the new socket was not there yet to be torn with the rest
            self.server.tear()
            return
        # In this order, and without a pause between: what came early goes before what comes now.
        self.dialling = False
        for data in self.early:
            self.upstream.take(data)
        if self.early_end:
            self.upstream.carrier.end()
        self.early.clear()
        if self.client.transport is not None:
            self.client.transport.resume_reading()

    def keep(self, data: bytes) -> None:
        """Keep what the client says before the server is reached, and read no more of it until then.

        Pausing as soon as the client is accepted would not do: before Python 3.11.4 asyncio begins to read after
        `connection_made` whatever that said, and the first bytes of a fast client were delivered to nobody.
        """
        assert self.client.transport is not None, "bytes come from a transport"
        self.early.append(data)
        self.client.transport.pause_reading()

    def settle(self) -> None:
        """Forget the connection once both directions have ended: both sides have said FIN and heard it."""
        if self.upstream.ended and self.downstream.ended:
            self.shut()

    def shut(self) -> None:
        """Close both sides now."""
        if self._begin_end():
            for side in (self.client, self.server):
                if side.transport is not None:
                    side.transport.close()

    def close(self) -> None:
        """A fault ends both sides in good order: what waits to be sent is sent, then FIN."""
        if self._begin_end():
            self.link.broken += 1
            self.client.part()
            self.server.part()

    def reset(self) -> None:
        """A fault, or either end, tears both sides (RST)."""
        if self._begin_end():
            self.link.broken += 1
            self.client.tear()
            self.server.tear()

    def suffer(self, upstream: Fault | None, downstream: Fault | None) -> None:
        """Change what this connection suffers, per direction; None leaves a direction as it is."""
        if upstream is not None:
            self.upstream.suffer(upstream)
        if downstream is not None:
            self.downstream.suffer(downstream)

    def _begin_end(self) -> bool:
        """True for the first caller only: a connection ends once, in one way."""
        if self.over:
            return False
        self.over = True
        self.link.connections.discard(self)
        return True
