"""The link process: opens every link of a plan, then does what its control socket is told, until SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from cluster.errors import WrongInputError
from cluster.link.control import LINE_BYTES_MAX, Change, Reply, Request, bind_here, decode, same_secret
from cluster.link.faults import Fault, Setting, fault_of
from cluster.link.link import Link
from cluster.link.plan import PLAN, LinkServerPlan


class WrongRequestError(Exception):
    """A request that can't be done; the message goes back to whoever asked."""


class LinkServer:
    """All links of one cluster, and the control socket that commands them."""

    def __init__(self, plan: LinkServerPlan) -> None:
        self.secret = plan.secret
        self.links = {each.name: Link(each) for each in plan.links}

    async def run(self, stop: asyncio.Event) -> None:
        """Open every link, then answer the control socket, which is made in the working directory, until `stop`.

        Raises OSError for a port that is taken.
        """
        for link in self.links.values():
            await link.open()
        control = await asyncio.start_unix_server(self._converse, sock=bind_here(), limit=LINE_BYTES_MAX)
        print(f"ready: {len(self.links)} links", flush=True)
        await stop.wait()
        control.close()
        for link in self.links.values():
            link.shut()

    async def answer(self, line: bytes) -> Reply:
        """Do what one request line asks. Never raises: whatever is wrong is said in the reply."""
        try:
            request = decode(line)
            if not same_secret(request.secret, self.secret):
                raise WrongRequestError("wrong secret")
            await self._do(request)
        except (msgspec.DecodeError, WrongRequestError, OSError) as problem:
            return Reply(error=str(problem))
        return Reply(links=tuple(link.state() for link in self.links.values()))

    async def _do(self, request: Request) -> None:
        if isinstance(request, Change):
            links = tuple(self._named(request.names))
            upstream, downstream = (_fault(each, request.settings) for each in (request.upstream, request.downstream))
            if request.upstream != request.downstream:
                for fault in (upstream, downstream):
                    if fault is not None and not fault.one_way:
                        raise WrongRequestError(
                            f"{fault.name} breaks connections, so it can't act in one direction alone"
                        )
            for link in links:
                await link.change(upstream, downstream)

    def _named(self, names: Iterable[str]) -> Iterator[Link]:
        for name in names:
            if name not in self.links:
                raise WrongRequestError(f"no link is called {name!r}; there are {', '.join(self.links) or 'none'}")
            yield self.links[name]

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # A client that goes away in the middle, or sends a line without an end, concerns nobody else.
        with contextlib.suppress(ConnectionError, ValueError):
            while line := await reader.readline():
                writer.write(msgspec.json.encode(await self.answer(line)) + b"\n")
                await writer.drain()
        writer.close()


def main(folder: Path) -> int:
    """Run the link process for a folder with its `links.json`; returns the exit status."""
    os.chdir(folder)
    plan = msgspec.json.decode(Path(PLAN).read_bytes(), type=LinkServerPlan)
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # a blackhole keeps what its clients have given up
    try:
        asyncio.run(_until_stopped(LinkServer(plan)))
    except OSError as problem:
        print(f"links can't start: {problem}", file=sys.stderr)
        return 1
    return 0


async def _until_stopped(server: LinkServer) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await server.run(stop)


def _fault(name: str | None, settings: Mapping[str, Setting]) -> Fault | None:
    try:
        return None if name is None else fault_of(name, settings)
    except WrongInputError as problem:
        raise WrongRequestError(str(problem)) from None
