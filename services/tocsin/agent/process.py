"""Process: the agent of a node. It follows the log into the table that all workers of the node read.

    worker ── starts, detached ──▶ python -m tocsin agent ── follows ──▶ Redis
       └── maps the table ◀── writes ──┘   ends 5 s after the last worker

What always holds: it writes only while it holds the agent's lock, which it inherits from the worker that started it or
takes itself, and keeps for life. When it is killed the lease ends by itself, and the next worker that misses starts
another. It uses nothing of the application, and one connection to Redis for the log, one or two for the rest. Where
the settings name an outbox it relays that too, on a thread of its own.
"""

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from tocsin.agent.relaying import RelayThread
from tocsin.agent.rhythm import holder_name, rhythm_of
from tocsin.clock import SystemClock
from tocsin.diary import Diary
from tocsin.follower import Follower
from tocsin.generation import Keeper
from tocsin.generation_file import GenerationFile
from tocsin.redis.connection import RedisConnection
from tocsin.redis.sequenced.assembly import sequencer_on
from tocsin.sequencer import Feed
from tocsin.settings import CacheSettings
from tocsin.sink import Sink

LOOK_EVERY_S = 1.0
ALONE_S = 5.0
WRITE_EVERY_S = 1.0
RELAY_ENDS_WITHIN_S = 1.0


class Attendance:
    """Whether any worker has been there within the last `alone_s` seconds, looked for every second."""

    def __init__(self, anybody_there: Callable[[], bool], now: Callable[[], float], *, alone_s: float) -> None:
        self._anybody_there = anybody_there
        self._now = now
        self._alone_s = alone_s
        self._seen_s = self._look_at_s = now()

    def all_gone(self) -> bool:
        """Return whether nobody has been there for `alone_s`."""
        now_s = self._now()
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + LOOK_EVERY_S
            if self._anybody_there():
                self._seen_s = now_s
        return now_s >= self._seen_s + self._alone_s


class Writing:
    """Writes the diary's page once a second."""

    def __init__(self, file: GenerationFile, diary: Diary, now: Callable[[], float]) -> None:
        self._file = file
        self._diary = diary
        self._now = now
        self._write_at_s = 0.0

    def attend(self) -> None:
        """Write, if it is time. A folder that is full or gone costs the page, and nothing else."""
        if (now_s := self._now()) >= self._write_at_s:
            self._write_at_s = now_s + WRITE_EVERY_S
            with contextlib.suppress(OSError):
                self._file.write_diary(self._diary.page(os.getpid()))


Adapt = Callable[[Feed, Sink, CacheSettings], tuple[Feed, Sink]]
"""What may get around an agent's feed and sink; it returns those to be used instead."""


def as_they_are(feed: Feed, sink: Sink, settings: CacheSettings) -> tuple[Feed, Sink]:  # noqa: ARG001 - a form
    """Return both unchanged."""
    return feed, sink


def keep_table(
    settings: CacheSettings, folder: Path, *, lock: int | None, stays: bool, adapt: Adapt = as_they_are
) -> bool:
    """Keep a node's table until the last worker is gone (`stays`: until SIGTERM); return whether it was ours to keep.

    `lock` is the agent's lock as inherited; without one it is taken here, and False says that another agent has it.
    """
    file = GenerationFile(folder.absolute())
    file.prepare()
    held = lock if lock is not None else file.lock_agent()
    if held is None:
        return False
    os.chdir("/")  # whatever folder the worker was started in is not ours to keep busy
    ending = until_terminated()
    clock = SystemClock()
    connection = RedisConnection(settings, clock)
    sequencer = sequencer_on(connection, settings)
    diary = Diary()
    relaying = RelayThread(settings, sequencer, clock=clock, diary=diary)
    writing = Writing(file, diary, clock.now)
    attendance = Attendance(file.anybody_there, clock.now, alone_s=ALONE_S)
    feed, sink = adapt(sequencer, Keeper(file.map_to_write()), settings)
    follower = Follower(
        feed=feed,
        sink=sink,
        node=holder_name(settings.node_name),
        now=clock.now,
        beats=secrets.randbits(48),
        rhythm=rhythm_of(settings),
        diary=diary,
    )

    def stopped() -> bool:
        writing.attend()
        return ending() or (not stays and attendance.all_gone())

    try:
        relaying.start()
        follower.follow(stopped, clock.pause)
    finally:
        relaying.stop(RELAY_ENDS_WITHIN_S)
        connection.close()
        with contextlib.suppress(OSError):
            os.close(held)
    return True


def until_terminated() -> Callable[[], bool]:
    """Return whether SIGTERM or SIGINT has come since; the turn that is under way is ended first."""
    came: list[float] = []

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a signal handler's form
        came.append(time.monotonic())

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return lambda: bool(came)
