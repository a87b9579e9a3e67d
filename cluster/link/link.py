"""A link: a port on loopback, an address behind it, and what each direction suffers."""

from __future__ import annotations

import asyncio

from cluster.link.connection import Connection, Side, Tally
from cluster.link.faults import PASS, Fault
from cluster.link.plan import LinkPlan
from cluster.status import LinkState

BACKLOG = 512


class Link:
    """One link at work: its listening socket, its connections, its counters. Lives in one event loop."""

    def __init__(self, plan: LinkPlan) -> None:
        self.name, self.port = plan.name, plan.port
        self.to_host, self.to_port = plan.to_host, plan.to_port
        self.resp = plan.resp
        self.upstream: Fault = PASS
        self.downstream: Fault = PASS
        self.connections: set[Connection] = set()
        self.accepted = 0
        self.broken = 0
        self.upstream_tally, self.downstream_tally = Tally(), Tally()
        self._server: asyncio.Server | None = None

    async def open(self) -> None:
        """Listen. Raises OSError when the port is somebody else's."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._accept, "127.0.0.1", self.port, backlog=BACKLOG)

    async def change(self, upstream: Fault | None, downstream: Fault | None) -> None:
        """Put faults on the link, per direction; None, or the fault that is in force, leaves a direction alone.

        Established connections suffer it when this returns. Raises OSError when the port can't be opened again.
        """
        upstream = None if upstream == self.upstream else upstream
        downstream = None if downstream == self.downstream else downstream
        self.upstream = upstream or self.upstream
        self.downstream = downstream or self.downstream
        # The port is closed before connections are torn and opened after they are healed. The other way round
        #   link: tears A .......................... closes the port
        #   node:          reconnects (accepted)                      -> a connection through a refusing link
        if not (self.upstream.listens and self.downstream.listens):
            self._close_port()
        for connection in tuple(self.connections):
            connection.suffer(upstream, downstream)
        if self.upstream.listens and self.downstream.listens:
            await self.open()

    def shut(self) -> None:
        """Stop listening and close every connection."""
        self._close_port()
        for connection in tuple(self.connections):
            connection.shut()

    def state(self) -> LinkState:
        """What the link does now, with its counters."""
        up, down = self.upstream_tally, self.downstream_tally
        return LinkState(
            name=self.name,
            listen=f"127.0.0.1:{self.port}",
            to=f"{self.to_host}:{self.to_port}",
            upstream=self.upstream.name,
            downstream=self.downstream.name,
            connections=len(self.connections),
            accepted=self.accepted,
            broken=self.broken,
            passed_bytes=(up.passed_bytes, down.passed_bytes),
            swallowed_bytes=(up.swallowed_bytes, down.swallowed_bytes),
            late_bytes=(up.late_bytes, down.late_bytes),
            messages=(down.messages, down.messages_touched),
            touched=tuple(down.touched),
        )

    def _accept(self) -> Side:
        return Connection(self).client

    def _close_port(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
