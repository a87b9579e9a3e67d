"""Flusher: Celery in earnest, and what it does when Redis dies, falls silent or comes back empty."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from catalog.models import OutboxRow

from tests.catalog.conftest import OpenShop
from tests.catalog.running_node import inherited
from tests.catalog.shop import NOBODY, Shop, environment
from tests.redis_server import RedisServer
from tests.until import until

ENDS_WITHIN_S = 20.0
GOES_ON_WITHIN_S = 30.0


@contextlib.contextmanager
def flusher(folder: Path, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """Start the flusher and wait until it says that it is ready; end it afterwards."""
    command = [sys.executable, "-m", "celery", "-A", "catalog.flusher", "worker"]
    chosen = {**inherited(), **environment(CATALOG_NODE="flusher", **changes)}
    log_file = folder / "flusher.log"
    with log_file.open("ab") as log:
        process = subprocess.Popen(command, env=chosen, cwd=folder, stdout=log, stderr=log)
    try:
        until(
            lambda: '"event": "ready"' in log_file.read_text(),
            within_s=GOES_ON_WITHIN_S,
            waiting_for="the flusher to be ready",
        )
        yield process
        assert process.poll() is None, f"the flusher ended:\n{log_file.read_text()}"
    finally:
        process.terminate()
        try:
            process.wait(ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(ENDS_WITHIN_S)


def nothing_waits(shop: Shop) -> bool:
    """Is every outbox row acknowledged?"""
    return all(row.acknowledged for row in shop.rows(OutboxRow))


def test_the_flusher_outlives_its_redis(
    open_here: OpenShop, redis: RedisServer, sqlite_url: str, tmp_path: Path
) -> None:
    """It relays what a cut-off node wrote; it goes on after Redis was killed and came back empty, and after Redis was
    silent for longer than any of its time-outs; and it leaves no file behind.
    """
    cut = open_here(REDIS_URL=NOBODY)
    with flusher(tmp_path, REDIS_URL=redis.url, DATABASE_URL=sqlite_url) as process:
        cut.put(7)
        until(lambda: nothing_waits(cut), within_s=GOES_ON_WITHIN_S, waiting_for="the relay of a pending write")

        redis.stop()
        cut.put(7)
        until(
            lambda: "waiting for Redis" in (tmp_path / "flusher.log").read_text(),
            within_s=GOES_ON_WITHIN_S,
            waiting_for="the flusher to miss its Redis",
        )
        redis.start()
        until(lambda: nothing_waits(cut), within_s=GOES_ON_WITHIN_S, waiting_for="the relay after a restart of Redis")

        redis.pause()
        cut.put(7)
        until(
            lambda: "dropping stale connection" in (tmp_path / "flusher.log").read_text(),
            within_s=GOES_ON_WITHIN_S,
            waiting_for="the flusher to give up a silent connection",
        )
        redis.resume()
        until(lambda: nothing_waits(cut), within_s=GOES_ON_WITHIN_S, waiting_for="the relay after a silence of Redis")
        assert process.poll() is None
    assert {path.name for path in tmp_path.iterdir()} <= {"flusher.log", "shop.db", "shop.db-wal", "shop.db-shm"}


def test_the_flusher_drains_what_is_written_behind(
    open_here: OpenShop, redis: RedisServer, sqlite_url: str, tmp_path: Path
) -> None:
    """Under write-behind an acknowledged write reaches the database by itself."""
    behind = {"TOCSIN_WRITE_PATH": "write-behind"}
    shop = open_here(**behind)
    shop.put(7)
    assert shop.row(7).version == 1
    with flusher(tmp_path, REDIS_URL=redis.url, DATABASE_URL=sqlite_url, **behind):
        until(lambda: shop.row(7).version == 2, within_s=GOES_ON_WITHIN_S, waiting_for="the drain of one write")
    assert shop.worker.cache.waiting() == 0


def test_a_flusher_that_cannot_start_says_why(tmp_path: Path) -> None:
    """A bad setting is one sentence and a failure."""
    done = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "catalog.flusher", "worker"],
        env={**inherited(), **environment(TOCSIN_L2_TTL_S="soon")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert "catalog: TOCSIN_L2_TTL_S is 'soon'" in done.stderr
    assert "Traceback" not in done.stderr
