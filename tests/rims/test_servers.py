"""Real servers: gunicorn's workers of three kinds, forked from an application that was loaded before, agree."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.redis_server import RedisServer, free_port
from tests.until import until

ROOT = Path(__file__).resolve().parent.parent.parent
READY_WITHIN_S = 30.0
ENDS_WITHIN_S = 15.0
WORKERS = 2


@pytest.fixture(params=["sync pubsub", "gthread sequenced", "gevent pubsub", "gevent sequenced"])
def url(request: pytest.FixtureRequest, redis: RedisServer, tmp_path: Path) -> Iterator[str]:
    """A small shop under gunicorn, preloaded: made once, forked twice. A kind of worker, and a strategy."""
    kind, strategy = request.param.split()
    with redis.client() as client:
        client.flushall()
    (tmp_path / "database").write_text("1", encoding="utf-8")
    port = free_port()
    words = ["--preload", "--workers", str(WORKERS), "--worker-class", kind, "--bind", f"127.0.0.1:{port}"]
    settings = {
        "SHOP_REDIS_URL": redis.url,
        "SHOP_DATABASE": str(tmp_path / "database"),
        "SHOP_STRATEGY": strategy,
        "SHOP_TABLES": str(tmp_path),
    }
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--no-control-socket", *words, "tests.rims.small_shop:app"],
            cwd=ROOT,
            env={**os.environ, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        try:
            server.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
            raise
        finally:
            print((tmp_path / "log").read_text(errors="replace"))


def believed(url: str) -> dict[int, tuple[str, str]]:
    """What each worker believes that hears the others; workers answer in turns, so they are asked some times."""
    answers: dict[int, tuple[str, str]] = {}
    for _ in range(8):
        try:
            said = requests.get(url, timeout=5).json()
        except requests.RequestException:  # not listening yet
            return {}
        if said["hears"]:
            answers[said["worker"]] = (said["price"], said["stock"])
    return answers


def test_forked_workers_agree_after_a_change(url: str) -> None:
    """Each had the old value in its own memory, for an hour; one of them made the change."""
    until(
        lambda: len(believed(url)) == WORKERS,
        within_s=READY_WITHIN_S,
        waiting_for="every worker to answer, and to hear the others",
    )
    assert set(believed(url).values()) == {("1", "1")}
    for value in ("2", "3"):
        assert requests.post(f"{url}/{value}", timeout=5).ok
        until(
            lambda value=value: (
                (answers := believed(url))  # type: ignore[misc]
                and len(answers) == WORKERS
                and set(answers.values()) == {(value, value)}
            ),
            within_s=READY_WITHIN_S,
            waiting_for=f"every worker to answer {value}",
        )
