"""Node: a worker's side of the agent: presence, the mapped table, and an agent that is started when there is none.

What always holds: a worker never writes the table. Whoever gets the agent's lock starts the agent and hands the lock
over with it, so there is no moment at which two agents could start. Nothing here waits on the path of a read: a look
that finds no agent starts one and goes on, as a miss.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from tocsin.backplane import Hear, Hearing
from tocsin.clock import Clock
from tocsin.diary import Page
from tocsin.generation import Generations
from tocsin.generation_file import DIARY, GenerationFile, folder_for
from tocsin.settings import CacheSettings

LOOK_EVERY_S = 0.2

INHERITED_LOCK = 3
"""The number that the open lock has in the agent."""

Spawn = Callable[[int], int]
"""Starts an agent that inherits the open lock, and returns its process id."""


class NodeTable:
    """The table of this worker's node; see `tocsin.evidence.Table` and `tocsin.backplane.Backplane`."""

    def __init__(self, file: GenerationFile, *, clock: Clock, spawn: Spawn) -> None:
        self._file = file
        self._clock = clock
        self._spawn = spawn
        self.renew()

    def renew(self) -> None:
        """Begin anew in the child of a fork: it has not started, and its parent's presence is not its own."""
        self._lock = self._clock.lock()
        self._present: int | None = None
        self._agents: list[int] = []
        self._identity = (0, 0)
        self._look_at_s = 0.0
        self.generations: Generations | None = None

    def start(self, hear: Hear) -> None:  # noqa: ARG002 - the agent hears
        """Be present, map the table, see that there is an agent; twice is once. Raises `PermissionError`."""
        with self._lock:
            if self._present is not None:
                return
            self._file.prepare()
            self._present = self._file.join_workers()
            self._look()

    def stop(self, within_s: float) -> None:  # noqa: ARG002 - there is nothing to wait for
        """Be present no more; the agent ends by itself when nobody is."""
        with self._lock:
            present, self._present = self._present, None
            self._replace(None)
            self._reap()
        if present is not None:
            os.close(present)

    def lapsed(self) -> None:
        """Look whether there is another table, or no agent; not more often than every 200 ms."""
        now_s = self._clock.now()
        if now_s < self._look_at_s:
            return
        with self._lock:
            # Without the lock two threads may both find the moment reached; the second would only look in vain.
            if now_s < self._look_at_s or self._present is None:
                return
            self._look_at_s = now_s + LOOK_EVERY_S
            self._look()

    def hearing(self) -> Hearing:
        """Return whether the node holds a lease."""
        hearing = self._heard()
        if not hearing.hears:
            # The table may be there by now: a worker that nobody has asked for anything has not looked since it began.
            self.lapsed()
            hearing = self._heard()
        return hearing

    def _heard(self) -> Hearing:
        if self.generations is None:
            return Hearing(
                hears=False,
                detail=f"no table in {self._file.folder}: the agent is starting, or start() was"
                " not called in this process",
            )
        return hearing_of(self.generations, self._clock.now())

    def _look(self) -> None:
        self._reap()
        identity = self._file.identity()
        if identity != self._identity:
            memory = self._file.map_to_read()
            self._replace(None if memory is None else Generations(memory))
            self._identity = identity if memory is not None else (0, 0)
        lock = self._file.lock_agent()
        if lock is None:
            return
        try:
            self._agents.append(self._spawn(lock))
        finally:
            os.close(lock)  # the agent has inherited it

    def _replace(self, generations: Generations | None) -> None:
        before, self.generations = self.generations, generations
        if before is not None:
            before.end()  # who still looks at it (`tocsin.glance`) would not hear of this process's own writes

    def _reap(self) -> None:
        """Forget agents of ours that have ended, so that they don't stay as zombies."""
        self._agents = [agent for agent in self._agents if _lives(agent)]


def _lives(process_id: int) -> bool:
    try:
        return os.waitpid(process_id, os.WNOHANG) == (0, 0)
    except ChildProcessError:
        return False  # somebody else waited for it: it has ended


def hearing_of(generations: Generations, now_s: float) -> Hearing:
    """Return what a table says of itself."""
    position = generations.position()
    lease_s = generations.lease_s(now_s)
    if position is None or lease_s <= 0:
        detail = "no lease: the agent can't prove that it has heard everything"
        return Hearing(hears=False, detail=detail, position=position)
    return Hearing(
        hears=True,
        detail=f"sequence {position.sequence} of epoch {position.epoch:016x}, lease {lease_s * 1000:.0f} ms",
        position=position,
        lease_s=lease_s,
    )


def folder_of(settings: CacheSettings) -> Path:
    """Return the folder of the node's table: the one that was set, or one in memory."""
    if settings.table_dir:
        return Path(settings.table_dir)
    return folder_for(settings.redis_url, settings.namespace, settings.node_name)


def page_of(settings: CacheSettings) -> Page | None:
    """Return what the agent of this node has counted; None where there is none, or it has written nothing yet."""
    if not settings.strategy.is_sequenced:
        return None
    try:
        return msgspec.json.decode((folder_of(settings) / DIARY).read_bytes(), type=Page)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def spawner(settings: CacheSettings, folder: Path) -> Spawn:
    """Return how to start this node's agent: detached, the URLs in its environment, nothing open but the lock."""

    def spawn(lock: int) -> int:
        command = [
            *(
                sys.executable,
                "-m",
                settings.agent_module,
                "agent",
                "--folder",
                str(folder),
                "--lock",
                str(INHERITED_LOCK),
            ),
            *("--node", settings.node_name, "--namespace", settings.namespace, "--strategy", settings.strategy.value),
            *("--lease", str(settings.lease_s), "--beat", str(settings.beat_every_s)),
            *("--canary", str(settings.canary_every_s), "--canary-within", str(settings.canary_within_s)),
        ]
        package = str(Path(__file__).resolve().parent.parent.parent)
        paths = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH", ""))))
        log = str(folder / "agent.log")
        return os.posix_spawn(
            sys.executable,
            command,
            {**os.environ, "PYTHONPATH": paths, "REDIS_URL": settings.redis_url, "OUTBOX_URL": settings.outbox_url},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
                (os.POSIX_SPAWN_OPEN, 2, log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                (os.POSIX_SPAWN_DUP2, lock, INHERITED_LOCK),
            ],
            setsid=True,
        )

    return spawn
