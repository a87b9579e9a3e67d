"""`python -m cluster edge --redis`: the edge before any origin, its agent and a real Redis, as a person runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from tocsin import Cache, CacheSettings, Position, Strategy, connect
from tocsin.settings import Agent

from tests.edge.hearing_edge import ProvingNode, is_hit, member
from tests.edge.running_edge import Answer, Edge
from tests.edge.test_sessions import cookie_value
from tests.redis_server import RedisServer, free_port, redis_server
from tests.until import until

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "shop"
SECRET = "a-secret-of-the-services"
HEARD_S = 20.0


@dataclass
class Alone:
    """The command, the origin behind it, and a writer of the services that use the same Redis."""

    edge: Edge
    origin: ProvingNode
    redis: RedisServer
    writer: Cache

    def write(self, key: str) -> Position:
        """What a service does after a commit; the origin's answers are true as of then."""
        receipt = self.writer.invalidate(keys=(key,))
        assert receipt.watermark is not None
        assert not receipt.pending
        self.origin.base = receipt.watermark
        return receipt.watermark

    def read(self) -> Answer:
        return self.edge.get("/x")

    def hits(self) -> None:
        """Wait until it answers from its store."""
        until(lambda: is_hit(self.read()), within_s=HEARD_S, waiting_for="a hit", every_s=0.02)

    def falls(self) -> None:
        """Wait until it does not."""
        until(lambda: not is_hit(self.read()), within_s=HEARD_S, waiting_for="the answer to fall", every_s=0.005)

    def agent(self) -> psutil.Process:
        """The agent's process."""
        children = psutil.Process(self.edge.process.pid).children()
        return next(child for child in children if "agent" in child.cmdline())


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Alone]:
    with redis_server() as redis, ProvingNode("product:1") as origin:
        secret_file = tmp_path / "secret"
        secret_file.write_text(SECRET + "\n", encoding="ascii")
        port = free_port()
        writer = connect(
            CacheSettings(
                redis_url=redis.url,
                node="writer",
                strategy=Strategy.SEQUENCED,
                namespace=NAMESPACE,
                agent=Agent.THREAD,
            )
        )
        words = ["--listen", f"127.0.0.1:{port}", "--origin", f"http://{origin.address}", "--redis", redis.url]
        process = subprocess.Popen(
            [sys.executable, "-m", "cluster", "edge", *words, "--namespace", NAMESPACE, "--secret-file", secret_file],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        edge = Edge(port, tmp_path, process)
        try:
            assert process.stdout is not None
            assert b"which hears the namespace shop" in process.stdout.readline()
            running = Alone(edge, origin, redis, writer)
            running.write("something")
            yield running
        finally:
            writer.stop()
            process.send_signal(signal.SIGINT)
            said, _ = process.communicate(timeout=30)
    assert process.returncode == 0, said
    assert [path.name for path in tmp_path.iterdir()] == ["secret"], "something is left of it"


def test_it_keeps_what_is_proved_and_gives_it_up_when_it_hears(alone: Alone) -> None:
    """Again and again; of other keys it hears without a loss."""
    for _ in range(3):
        alone.hits()
        alone.write("product:2")
        assert is_hit(alone.read())
        alone.write("product:1")
        alone.falls()


def test_its_agent_stands_still(alone: Alone) -> None:
    """The lease ends, everything goes to the origin; then the agent goes on, and shows nothing of before."""
    alone.hits()
    alone.agent().suspend()
    until(lambda: "detail=lease" in member(alone.read()), within_s=HEARD_S, waiting_for="the end of the lease")
    stored = len(alone.origin.requests)
    alone.write("product:1")
    alone.agent().resume()
    alone.hits()
    assert int(alone.read().text.removeprefix("answer ")) > stored


def test_its_redis_comes_back_empty(alone: Alone) -> None:
    """Another epoch: nothing stored is compared with it, and what is kept from then on falls as before."""
    alone.hits()
    before = alone.origin.base
    alone.redis.stop()
    until(lambda: "detail=lease" in member(alone.read()), within_s=HEARD_S, waiting_for="the end of the lease")
    alone.redis.start()
    # Waits for: the writer's connection to find the new server.
    until(lambda: not alone.writer.invalidate(keys=("k",)).pending, within_s=HEARD_S, waiting_for="the writer")
    asked = len(alone.origin.requests)
    after = alone.write("something")
    assert after.epoch > before.epoch
    alone.hits()
    assert len(alone.origin.requests) > asked
    alone.write("product:1")
    alone.falls()


def test_its_sessions_are_those_of_the_services(alone: Alone) -> None:
    """A watermark that a service signed with the same secret is believed: it has seen more than is stored."""
    alone.hits()
    base = alone.origin.base
    ahead = cookie_value(f"{base.epoch:016x}-{base.sequence + 5}", SECRET)
    assert not is_hit(alone.edge.get("/x", Cookie=f"tocsin-watermark={ahead}"))
    forged = cookie_value(f"{base.epoch:016x}-{base.sequence + 5}", "another-secret-of-others")
    assert is_hit(alone.edge.get("/x", Cookie=f"tocsin-watermark={forged}"))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--redis", "127.0.0.1:6379"), "is no address of a Redis"),
        (("--redis", "redis://127.0.0.1:1/0", "--secret-file", "/nowhere"), "can't be read"),
    ],
)
def test_what_can_not_be_meant_is_said_in_one_sentence(words: tuple[str, ...], expected: str) -> None:
    """Before anything is started."""
    command = [sys.executable, "-m", "cluster", "edge", "--origin", "http://127.0.0.1:1", *words]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 254
    assert expected in ended.stderr
