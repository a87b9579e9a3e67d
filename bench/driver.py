"""What the driver costs, and how late its requests leave: against an origin that answers at once.

    python -m bench.driver [--rates 400 2000] [--seconds 5]

The origin is a process of its own. Prints the share of one core that the driver takes, in its own code and in the
kernel, and how late requests left: a driver that is late bends the load that it promises.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import resource
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

import uvloop

from cluster.demo.figures import quantile
from cluster.history.reader import read_history
from cluster.history.recorder import Recorder
from cluster.workload.arrival import arrivals
from cluster.workload.driver import Driver
from cluster.workload.profile import Profile
from cluster.workload.request import Origins

BODY = b'{"id":1,"name":"Bowl","price":3.5,"category":"kitchen","description":"Round.","version":1,"user":"guest"}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Worker: node-1/worker-1\r\n"
    b"Cache-Status: tocsin-l2;hit;ttl=30, tocsin-l1;fwd=uri-miss, edge;fwd=uri-miss;stored\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
)


class AtOnce(asyncio.Protocol):
    """Answers whatever arrives; requests here are small enough to arrive whole."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way back."""
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:  # noqa: ARG002 - the protocol's signature
        """One answer."""
        self.transport.write(ANSWER)


def serve(told: Connection) -> None:
    """Be the origin, on a free port that is told."""

    async def main() -> None:
        server = await asyncio.get_running_loop().create_server(AtOnce, "127.0.0.1", 0)
        told.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def measure(port: int, rate: float, seconds: float) -> str:
    """Drive at `rate` for `seconds`; the figures in one line."""
    origins = Origins(f"http://127.0.0.1:{port}", {})
    profile = Profile(products=tuple(range(1, 201)), rate_per_s=rate)

    async def drive(recorder: Recorder) -> tuple[float, float, float]:
        async with Driver(origins, profile, recorder, chance=Random(1), run_tag="bec0ffee") as driver:  # noqa: S311
            coming = arrivals(profile, [], Random(2))  # noqa: S311 - a benchmark has no secrets
            before, began = resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
            await driver.drive(coming, for_s=seconds, stop=asyncio.Event())
            await driver.drain()
            took, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF)
            return (after.ru_utime - before.ru_utime) / took, (after.ru_stime - before.ru_stime) / took, took

    with tempfile.TemporaryDirectory() as folder, Recorder(Path(folder) / "history.jsonl") as recorder:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as the engine does
            own, kernel, took = runner.run(drive(recorder))
        recorder.close()
        history = read_history(recorder.path)
    late = sorted(history.late_ns)
    return (
        f"{rate:>7,.0f}/s asked {len(history) / took:>7,.0f}/s sent   core: {own:6.1%} own + {kernel:6.1%} kernel   "
        f"late: p50 {quantile(late, 0.5) / 1e6:5.2f} ms, p99 {quantile(late, 0.99) / 1e6:6.2f} ms"
    )


def main() -> None:
    """Measure each rate in turn."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rates", type=float, nargs="+", default=[400, 2000])
    options.add_argument("--seconds", type=float, default=5)
    chosen = options.parse_args()
    heard, told = multiprocessing.Pipe(duplex=False)
    origin = multiprocessing.Process(target=serve, args=(told,), daemon=True)
    origin.start()
    port = heard.recv()
    try:
        for rate in chosen.rates:
            print(measure(port, rate, chosen.seconds), flush=True)
    finally:
        origin.terminate()
        origin.join()


if __name__ == "__main__":
    main()
