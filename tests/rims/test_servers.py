"""Real servers: workers of every kind, forked before or after the application was loaded, agree; also when they are
recycled all the time. gunicorn's sync, gthread and gevent, and granian.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

from tests.redis_server import RedisServer, free_port
from tests.until import until

ROOT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN_S = 60.0
ENDS_WITHIN_S = 20.0
WORKERS = 2
SHOP = "tests.rims.small_shop:app"
RECYCLED = ("--max-requests", "30", "--max-requests-jitter", "10")


@dataclass(frozen=True)
class Served:
    """A small shop that is served: where, and the folder of its node's table."""

    url: str
    folder: Path

    def believed(self) -> dict[int, tuple[str, str]]:
        """What each worker believes that hears the others; they answer in turns, so they are asked some times."""
        answers: dict[int, tuple[str, str]] = {}
        for _ in range(8):
            try:
                said = requests.get(self.url, timeout=5).json()
            except requests.RequestException:  # not listening yet, or this worker has just left
                continue
            if said["hears"]:
                answers[said["worker"]] = (said["price"], said["stock"])
        return answers

    def changes_to(self, value: str) -> None:
        """Change the value by one worker, which may be leaving: then by another."""

        def changed() -> bool:
            with contextlib.suppress(requests.RequestException):
                return requests.post(f"{self.url}/{value}", timeout=5).ok
            return False

        until(changed, within_s=READY_WITHIN_S, waiting_for=f"the change to {value}")

    def agents(self) -> set[int]:
        """The agents of this node, which name its folder."""
        found = set()
        for process in psutil.process_iter(["cmdline", "status"]):
            words = process.info["cmdline"] or []
            alive = process.info["status"] != psutil.STATUS_ZOMBIE
            if alive and "agent" in words and any(str(self.folder) in word for word in words):
                found.add(process.pid)
        return found


@contextlib.contextmanager
def served(redis: RedisServer, folder: Path, kind: str, strategy: str, *more: str) -> Iterator[Served]:
    """The small shop under a server of this kind."""
    with redis.client() as client:
        client.flushall()
    (folder / "database").write_text("1", encoding="utf-8")
    port = free_port()
    if kind == "granian":
        words = ["granian", "--interface", "wsgi", "--port", str(port), "--blocking-threads", "2"]
    else:
        words = ["gunicorn", "--no-control-socket", "--worker-class", kind, "--bind", f"127.0.0.1:{port}"]
    settings = {
        "SHOP_REDIS_URL": redis.url,
        "SHOP_DATABASE": str(folder / "database"),
        "SHOP_STRATEGY": strategy,
        "SHOP_TABLES": str(folder),
    }
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", *words, "--workers", str(WORKERS), *more, SHOP],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Served(f"http://127.0.0.1:{port}", folder)
    finally:
        server.terminate()
        try:
            server.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise
        finally:
            print((folder / "log").read_text(errors="replace"))


@pytest.mark.parametrize(
    ("kind", "strategy", "more"),
    [
        ("sync", "pubsub", ("--preload",)),
        ("sync", "sequenced", ("--preload",)),
        ("gthread", "sequenced", ("--preload", "--threads", "2")),
        ("gthread", "strict", ("--preload", "--threads", "2")),
        ("gthread", "tracking", ("--preload", "--threads", "2")),
        ("gevent", "pubsub", ("--preload",)),
        ("gevent", "pubsub-flush", ("--preload",)),
        ("gevent", "tracking", ("--preload",)),
        ("gevent", "sequenced", ("--preload",)),
        ("sync", "sequenced", ()),
        ("gevent", "sequenced", ()),
        ("granian", "pubsub-flush", ()),
        ("granian", "sequenced", ()),
    ],
)
def test_forked_workers_agree_after_a_change(
    redis: RedisServer, tmp_path: Path, kind: str, strategy: str, more: tuple[str, ...]
) -> None:
    """Each had the old value in its own memory, for an hour; one of them made the change."""
    with served(redis, tmp_path, kind, strategy, *more) as shop:
        until(
            lambda: len(shop.believed()) == WORKERS,
            within_s=READY_WITHIN_S,
            waiting_for="every worker to answer, and to hear the others",
        )
        assert set(shop.believed().values()) == {("1", "1")}
        for value in ("2", "3"):
            shop.changes_to(value)
            until(
                lambda value=value: agreed(shop.believed(), value),  # type: ignore[misc]
                within_s=READY_WITHIN_S,
                waiting_for=f"every worker to answer {value}",
            )


def agreed(answers: dict[int, tuple[str, str]], value: str) -> bool:
    """Whether all workers answered, and all the same."""
    return len(answers) >= WORKERS and set(answers.values()) == {(value, value)}


@pytest.mark.parametrize("kind", ["sync", "gthread", "gevent"])
@pytest.mark.parametrize("loads", [("--preload",), ()], ids=["preloaded", "loaded by each worker"])
def test_workers_that_are_recycled_all_the_time_agree(
    redis: RedisServer, tmp_path: Path, kind: str, loads: tuple[str, ...]
) -> None:
    """max_requests: every few dozen requests a worker is another process; the values stay true, and one agent stays."""
    with served(redis, tmp_path, kind, "sequenced", *loads, *RECYCLED) as shop:
        until(lambda: len(shop.believed()) >= WORKERS, within_s=READY_WITHIN_S, waiting_for="both workers to hear")
        seen: set[int] = set()
        numbers = iter(range(2, 100))

        def recycled() -> bool:
            value = str(next(numbers))
            shop.changes_to(value)
            until(
                lambda: agreed(shop.believed(), value),
                within_s=READY_WITHIN_S,
                waiting_for=f"every worker to answer {value}",
            )
            seen.update(shop.believed())
            return len(seen) >= 3 * WORKERS

        until(recycled, within_s=2 * READY_WITHIN_S, waiting_for="three generations of workers", every_s=0)
        # The Flask-Caching backend and the extension are two caches here, each with a namespace and an agent.
        assert 1 <= len(shop.agents()) <= 2
    until(lambda: not shop.agents(), within_s=READY_WITHIN_S, waiting_for="the agents to see that nobody is left")
