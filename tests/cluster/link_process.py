"""A real link process for tests: started on free ports, spoken to through its control socket, ended by its pid."""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import msgspec

from cluster.errors import ClusterError
from cluster.link.client import LinkClient
from cluster.link.plan import PLAN, LinkPlan, LinkServerPlan
from cluster.status import LinkState
from tests.until import until

SECRET = "a-secret-of-the-tests"


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@dataclass
class LinkProcess:
    """`python -m cluster.link` with one link to a port, or with more of them."""

    folder: Path
    to_port: int
    names: tuple[str, ...] = ("node-1→redis",)
    ports: dict[str, int] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    resp: bool = False  # whether a Redis is behind it

    def __post_init__(self) -> None:
        """Write the plan that a launcher would write."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.ports = {name: free_port() for name in self.names}
        plan = LinkServerPlan(
            secret=SECRET,
            links=tuple(
                LinkPlan(name=name, port=port, to_host="127.0.0.1", to_port=self.to_port, resp=self.resp)
                for name, port in self.ports.items()
            ),
        )
        (self.folder / PLAN).write_bytes(msgspec.json.encode(plan))
        self.control = LinkClient(self.folder, SECRET)

    def start(self) -> None:
        """Start the process and wait until its control socket answers."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cluster.link", str(self.folder)], stdout=subprocess.DEVNULL
        )
        until(self._answers, within_s=10, waiting_for="the link process to answer")

    def kill(self) -> None:
        """Kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)

    def __enter__(self) -> LinkProcess:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, gently."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(10)

    def dial(self, name: str = "node-1→redis") -> socket.socket:
        """A client's connection through a link."""
        return socket.create_connection(("127.0.0.1", self.ports[name]), timeout=10)

    def state(self, name: str = "node-1→redis") -> LinkState:
        """What a link says of itself."""
        return next(link for link in self.control.look() if link.name == name)

    def swallowed(self, upstream: int = 0, downstream: int = 0) -> None:
        """Wait until a link has swallowed so many bytes in each direction."""
        until(
            lambda: self.state().swallowed_bytes == (upstream, downstream),
            within_s=10,
            waiting_for=f"{upstream} and {downstream} bytes swallowed",
        )

    def _answers(self) -> bool:
        try:
            self.control.look()
        except ClusterError:
            return False
        return True
