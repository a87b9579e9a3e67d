"""The agent as a process, on a real Redis: started by whoever misses, one per node, gone after the last worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from msgspec.structs import replace
from tocsin import Cache, CacheSettings, Layer, Loaded, Names, Strategy, connect
from tocsin.agent.node import LOOK_EVERY_S, NodeTable
from tocsin.agent.process import ALONE_S, Attendance
from tocsin.generation import Keeper
from tocsin.generation_file import GenerationFile
from tocsin.position import Position

from tests.redis_server import RedisServer, redis_server
from tests.tocsin.moved_clock import MovedClock
from tests.until import until

KEY = "product:1"
LEASE_S = 1.0


class Workers:
    """Workers of one node, and the agent that they share."""

    def __init__(self, server: RedisServer, folder: Path) -> None:
        self.server = server
        self.settings = CacheSettings(
            redis_url=server.url,
            node="node-1/worker-1",
            namespace=uuid4().hex,
            strategy=Strategy.SEQUENCED,
            l1_ttl_s=3600.0,
            lease_s=LEASE_S,
            canary_every_s=0.1,
            table_dir=str(folder / "private" / "table"),
        )
        (folder / "private").mkdir(mode=0o700)
        self._caches: list[Cache] = []

    def worker(self, **changed: object) -> Cache:
        """Return one more worker, started."""
        cache = connect(replace(self.settings, **changed))
        self._caches.append(cache)
        cache.start()
        return cache

    def hearing(self, **changed: object) -> Cache:
        """Return one more worker, with a lease."""
        cache = self.worker(**changed)
        until(lambda: cache.hearing().hears, within_s=20, waiting_for="the agent to hold a lease")
        return cache

    def agents(self) -> list[psutil.Process]:
        """Return the agents of this node: processes that name its folder."""
        found = []
        for process in psutil.Process().children() + [
            each for each in psutil.process_iter(["cmdline"]) if each.pid != os.getpid()
        ]:
            try:
                if self.settings.table_dir in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return list({process.pid: process for process in found}.values())

    def close(self) -> None:
        """Stop the workers, and end the agent without waiting for it to notice."""
        for cache in self._caches:
            cache.stop()
        agents = self.agents()
        for agent in agents:
            agent.terminate()
        for agent in agents:
            agent.wait(10)


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """One Redis for all tests here."""
    with redis_server() as server:
        yield server


@pytest.fixture
def workers(server: RedisServer, tmp_path: Path) -> Iterator[Workers]:
    """A node of its own."""
    workers = Workers(server, tmp_path)
    yield workers
    workers.close()


def test_all_workers_of_a_node_share_one_agent(workers: Workers) -> None:
    """The first worker starts it, the others find it; it takes less than 40 MB."""
    workers.hearing()
    workers.hearing(node="node-1/worker-2")
    (agent,) = workers.agents()
    assert agent.memory_full_info().uss < 40 << 20
    assert agent.cwd() == "/"
    assert workers.server.url not in " ".join(agent.cmdline()), "a URL may hold a password, and others see arguments"


def test_a_worker_that_nobody_asked_yet_hears_at_the_first_question(tmp_path: Path) -> None:
    """It began before there was a table, and has not looked since: asked whether it hears, it looks, and then answers.

    Otherwise a node is ready by one worker's word and not by the other's, until somebody has read something.
    """
    (tmp_path / "node").mkdir(mode=0o700)
    file, clock = GenerationFile(tmp_path / "node" / "table"), MovedClock()
    table = NodeTable(file, clock=clock, spawn=os.dup)
    table.start(print)
    assert not table.hearing().hears
    keeper = Keeper(file.map_to_write())
    keeper.flush(Position(7, 1))
    keeper.renew(clock.now() + 5)
    clock.move(LOOK_EVERY_S)
    assert table.hearing().hears
    table.stop(1.0)


def test_a_write_of_one_worker_ends_the_entry_in_another(workers: Workers) -> None:
    """Through Redis, the agent and the table, within moments, with an L1 that would keep it for an hour."""
    reader, writer = workers.hearing(), workers.hearing(node="node-1/worker-2")
    rows = [b"robot"]

    def read() -> bytes | None:
        return reader.get_or_load(KEY, lambda: Loaded(rows[-1]))

    read()
    assert reader.read(KEY, lambda: Loaded(rows[-1])).layer is Layer.L1
    with writer.writing(Names(keys=(KEY,))):
        rows.append(b"tin robot")
    until(lambda: read() == b"tin robot", within_s=LEASE_S * 5, waiting_for="the other worker's L1 to refuse the entry")


def test_a_session_reads_its_write_in_any_worker_at_once(workers: Workers) -> None:
    """† Read-your-writes: with the receipt's watermark the very next read is new, whatever the agent has applied."""
    reader, writer = workers.hearing(), workers.hearing(node="node-1/worker-2")
    for _ in range(50):
        reader.read(KEY, lambda: Loaded(b"old"), at_least=writer.invalidate(Names(keys=(KEY,))).watermark)
        with writer.writing(Names(keys=(KEY,))) as write:
            pass
        assert reader.read(KEY, lambda: Loaded(b"new"), at_least=write.receipt.watermark).value == b"new"


def test_a_killed_agent_costs_misses_and_is_replaced(workers: Workers) -> None:
    """Its lease ends within L; whoever misses starts the next, and L1 is used again."""
    cache = workers.hearing()
    (agent,) = workers.agents()
    agent.kill()
    until(lambda: not cache.hearing().hears, within_s=LEASE_S * 5, waiting_for="the lease of the dead agent to end")
    until(
        lambda: cache.read(KEY, lambda: Loaded(b"robot")).layer is Layer.L1,
        within_s=20,
        waiting_for="a read from L1 under the next agent",
    )
    (successor,) = workers.agents()
    assert successor.pid != agent.pid


def test_a_paused_agent_costs_misses_and_nothing_else(workers: Workers) -> None:
    """P2: an agent that is frozen renews nothing; what is written meanwhile is read from L2 or the database."""
    cache = workers.hearing()
    cache.read(KEY, lambda: Loaded(b"robot"))
    (agent,) = workers.agents()
    agent.send_signal(signal.SIGSTOP)
    try:
        other = connect(replace(workers.settings, node="elsewhere"))
        other.invalidate(Names(keys=(KEY,)))
        other.stop()
        until(
            lambda: cache.read(KEY, lambda: Loaded(b"tin robot")).value == b"tin robot",
            within_s=LEASE_S * 5,
            waiting_for="the lease to end",
        )
    finally:
        agent.send_signal(signal.SIGCONT)


def test_a_restarted_redis_is_survived(server: RedisServer, tmp_path: Path) -> None:
    """Empty again: the agent takes up the new epoch by itself, and what is old is no hit."""
    with redis_server() as own:
        workers = Workers(own, tmp_path)
        try:
            cache = workers.hearing()
            cache.read(KEY, lambda: Loaded(b"robot"))
            own.stop()
            own.start()
            until(
                lambda: cache.read(KEY, lambda: Loaded(b"tin robot")).value == b"tin robot",
                within_s=10,
                waiting_for="the old epoch's entry to be no hit any more",
            )
            until(lambda: cache.hearing().hears, within_s=20, waiting_for="a lease in the new epoch")
        finally:
            workers.close()


def test_a_second_agent_is_refused_with_a_reason(workers: Workers) -> None:
    """A supervisor that starts one too many learns who is there."""
    workers.hearing()
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "tocsin", "agent", "--node", "node-1", "--folder", workers.settings.table_dir),
        ],
        env={**os.environ, "REDIS_URL": workers.server.url},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    assert "node-1 has an agent already" in ended.stderr


def test_a_forked_child_starts_anew(workers: Workers) -> None:
    """Hazard 34: the child of a fork is not present until it has started itself."""
    cache = workers.hearing()
    cache.read(KEY, lambda: Loaded(b"robot"))
    child = os.fork()
    if child == 0:
        hears = cache.hearing().hears
        os._exit(1 if hears or cache.levels().entries else 0)
    assert os.waitpid(child, 0)[1] == 0
    assert cache.hearing().hears


def test_the_agent_ends_when_nobody_has_been_there_for_a_while() -> None:
    """It looks once a second, and counts from when it last saw a worker."""
    now_s, there = 100.0, True
    attendance = Attendance(lambda: there, lambda: now_s, alone_s=ALONE_S)
    assert not attendance.all_gone()
    there = False
    now_s += ALONE_S - 0.5
    assert not attendance.all_gone()
    now_s += 0.5
    assert attendance.all_gone()
    there = True
    now_s += 1.0
    assert not attendance.all_gone()


def test_the_agent_outlives_its_last_worker_by_seconds(workers: Workers) -> None:
    """When the last worker has stopped, its agent ends by itself."""
    cache = workers.hearing()
    (agent,) = workers.agents()
    cache.stop()
    until(
        lambda: not agent.is_running() or agent.status() == psutil.STATUS_ZOMBIE,
        within_s=ALONE_S + 20,
        waiting_for="the agent to end",
    )
