"""Edge: the agent of an edge. It follows the log as a node's agent does, and tells the edge's nginx what it hears.

    python -m tocsin agent --edge <folder>/control/socket ── follows ──▶ Redis
       └── marks, lease ──▶ nginx, through the socket

What always holds: there is one agent per edge, by a lock beside the socket that it holds for life; the folder is this
user's alone. nginx may come and go: a new one is found at the same path, and begins with nothing. A killed agent is
noticed by the lease, which ends by itself: the edge then asks the nodes for everything.
"""

import contextlib
import fcntl
import os
import secrets
import sys
from pathlib import Path

from tocsin.agent.process import until_terminated
from tocsin.agent.rhythm import holder_name, rhythm_of
from tocsin.clock import SystemClock
from tocsin.edge.sink import EdgeSink
from tocsin.errors import SettingsError
from tocsin.follower import Follower
from tocsin.redis.connection import RedisConnection
from tocsin.redis.sequenced.assembly import sequencer_on
from tocsin.settings import CacheSettings


def keep_edge(settings: CacheSettings, path: Path, *, secret_file: Path | None) -> bool:
    """Keep the edge behind the socket at `path` true until SIGTERM or SIGINT; False if it has an agent already.

    `secret_file` holds the secret that the edge was started with. Raises `SettingsError` without one, and `OSError`
    when it can't be read or the socket's folder is not there, or not private.
    """
    secret = "" if secret_file is None else secret_file.read_text(encoding="ascii").strip()
    if not secret:
        raise SettingsError("--edge needs --secret-file: a file with the secret that the edge was started with")
    path = path.absolute()
    lock = _lock(path.parent)
    if lock is None:
        return False
    ending = until_terminated()
    clock = SystemClock()
    connection = RedisConnection(settings, clock)
    sink = EdgeSink(path, secret=secret, now=clock.now)
    follower = Follower(
        feed=sequencer_on(connection, settings),
        sink=sink,
        node=holder_name(settings.node_name),
        now=clock.now,
        beats=secrets.randbits(48),
        rhythm=rhythm_of(settings),
        tell=_Said().tell,
    )
    try:
        follower.follow(ending, clock.pause)
    finally:
        sink.close()
        connection.close()
        with contextlib.suppress(OSError):
            os.close(lock)
    return True


class _Said:
    """What was said last on stderr, which is not said twice in a row."""

    def __init__(self) -> None:
        self._last = ""

    def tell(self, sentence: str) -> None:
        if sentence != self._last:
            self._last = sentence
            print(f"tocsin agent: {sentence}", file=sys.stderr, flush=True)


def _lock(folder: Path) -> int | None:
    """Return the lock of the edge's agent as an open file, None if there is an agent; raise for a folder of others."""
    status = folder.stat()
    if status.st_uid not in (os.getuid(), 0) or status.st_mode & 0o077:
        raise PermissionError(
            f"{folder} leads to an edge's control socket and must be its owner's alone (mode 0700):"
            f" it belongs to user {status.st_uid} with mode {status.st_mode & 0o777:04o}"
        )
    file = os.open(folder / "agent", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    return file
