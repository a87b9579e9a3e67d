"""The CDN's agent as a process: a write in Redis becomes a purge, and what was purged is remembered."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tocsin import CacheSettings, connect

from tests.cdn.stub import TOKEN, Stub, cdn_stub
from tests.redis_server import RedisServer, redis_server
from tests.until import until

WITHIN_S = 20.0


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    """One Redis."""
    with redis_server() as server:
        yield server


@contextmanager
def agent(redis: RedisServer, stub: Stub, state: Path, *more: str) -> Iterator[subprocess.Popen[str]]:
    """An agent for Fastly, ended by SIGTERM."""
    command = [
        sys.executable,
        "-m",
        "tocsin",
        "agent",
        "--node",
        "cdn",
        "--cdn",
        "fastly",
        "--state",
        str(state),
        *more,
    ]
    environment = {
        **os.environ,
        "REDIS_URL": redis.url,
        "FASTLY_SERVICE": "s1",
        "FASTLY_TOKEN": TOKEN,
        "CDN_API": stub.url,
    }
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=WITHIN_S)
        assert process.returncode == 0, said


def purged(stub: Stub) -> list[str]:
    """Every key that was purged, in order; `*` for everything."""
    return [
        key
        for path, _, body in stub.calls
        for key in (["*"] if path.endswith("purge_all") else body["surrogate_keys"])  # type: ignore[attr-defined]
    ]


def write(redis: RedisServer, key: str) -> None:
    """Invalidate a key, as a worker does."""
    cache = connect(CacheSettings(redis_url=redis.url, node="node-1/worker-1"))
    try:
        cache.invalidate(keys=[key])
    finally:
        cache.stop()


def test_a_write_is_purged_and_what_was_purged_is_remembered(redis: RedisServer, tmp_path: Path) -> None:
    """First everything, because nobody knows what was missed; then each write; a second start takes the log up."""
    state = tmp_path / "state"
    with cdn_stub() as stub:
        with agent(redis, stub, state):
            until(lambda: purged(stub) == ["*"], within_s=WITHIN_S, waiting_for="the first purge of everything")
            write(redis, "product:7")
            until(lambda: "product:7" in purged(stub), within_s=WITHIN_S, waiting_for="the purge of product:7")
            until(state.exists, within_s=WITHIN_S, waiting_for="what was purged to be remembered")
        write(redis, "product:8")
        with agent(redis, stub, state):
            until(lambda: "product:8" in purged(stub), within_s=WITHIN_S, waiting_for="the purge of product:8")
        assert purged(stub).count("*") == 1


def test_a_dry_run_says_what_it_would_purge(redis: RedisServer, tmp_path: Path) -> None:
    """And sends nothing."""
    with cdn_stub() as stub, agent(redis, stub, tmp_path / "state", "--dry-run") as process:
        assert process.stderr is not None
        assert "Fastly, dry run: would purge everything" in process.stderr.readline()
        assert stub.calls == []


def test_a_missing_token_ends_it_with_one_sentence(tmp_path: Path) -> None:
    """Before Redis is asked for anything."""
    environment = {**os.environ, "REDIS_URL": "redis://127.0.0.1:1/0"}
    command = [
        sys.executable,
        "-m",
        "tocsin",
        "agent",
        "--node",
        "cdn",
        "--cdn",
        "cloudflare",
        "--state",
        str(tmp_path / "s"),
    ]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=WITHIN_S, check=False)
    assert done.returncode == 1
    assert "CLOUDFLARE_TOKEN" in done.stderr
    assert "Traceback" not in done.stderr
