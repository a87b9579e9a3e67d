"""Spawning: a process is written into the ledger before it can do anything, and it outlives the command that made it.

    command                     child
    Popen ────────────────────▶ /bin/sh, waits at its gate: read
    ledger ◀─ pid, birth
    "go" ─────────────────────▶ exec redis-server …           (same pid, same birth)

Without the gate a command that is killed between Popen and the ledger would leave a server that nobody knows of. With
it, the shell reads the end of its input instead of "go", and ends. Besides, every child carries the run's folder in its
environment (TOCSIN_RUN), for those that a server starts itself.

A child leads a session of its own, so that Ctrl-C in the terminal is heard by the command alone; it reads nothing, and
writes into a log file, never into a pipe that somebody must empty.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cluster.errors import ClusterError
from cluster.ledger import ProcessMade
from cluster.pid import Pid, look
from cluster.runs import Run

MARKER = "TOCSIN_RUN"
GATE = 'read -r go && exec "$@" </dev/null'
# Variables of the person's shell that would change a server behind the topology's back.
PRIVATE = ("CATALOG_", "TOCSIN_", "CELERY_", "GUNICORN_", "FLASK_", "PROMETHEUS_", "PYTHON")
PRIVATE_NAMES = frozenset({"DATABASE_URL", "REDIS_URL", "WEB_CONCURRENCY", "NGINX"})


@dataclass(frozen=True, slots=True)
class Command:
    """What to start: its words, what it finds in its environment beyond the person's, and the folder it works in."""

    argv: tuple[str, ...]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spawned:
    """A process that was started; `log_offset` is where its own lines begin in the log."""

    name: str
    pid: Pid
    log: Path
    log_offset: int

    def said(self) -> str:
        """What it has written into its log since it was started."""
        with self.log.open("rb") as file:
            file.seek(self.log_offset)
            return file.read().decode(errors="replace")


def spawn(run: Run, name: str, command: Command) -> Spawned:
    """Start a detached process in a session of its own; it stands in the run's ledger when it begins to work.

    Raises ClusterError when the program can't be started at all.
    """
    log = run.logs / f"{name}.log"
    with log.open("ab") as output:
        offset = output.tell()
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-c", GATE, name, *command.argv],
                cwd=command.folder,
                env=environment(run, command.environment),
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as problem:
            raise ClusterError(f"{name} can't be started: {problem}") from None
    assert process.stdin is not None
    seen = look(process.pid)
    assert seen is not None, "a child of ours is at least a zombie until we wait for it"
    run.ledger.add(ProcessMade(name=name, pid=seen.pid))
    with process.stdin as gate:
        gate.write(b"go\n")
    # The process is nobody's child to wait for: whoever asks next reads /proc. This tells Popen not to warn of it.
    process.returncode = 0
    return Spawned(name, seen.pid, log, offset)


def bury(pid: Pid) -> int | None:
    """Take a dead child's exit status, so that it is no zombie any more; None when it is no dead child of ours."""
    try:
        number, status = os.waitpid(pid.number, os.WNOHANG)
    except ChildProcessError:
        return None
    return os.waitstatus_to_exitcode(status) if number else None


def environment(run: Run, added: Mapping[str, str]) -> dict[str, str]:
    """The person's environment without what would change a server unasked, plus the run's marker and `added`."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(PRIVATE) and name not in PRIVATE_NAMES
    }
    return kept | {MARKER: str(run.path)} | dict(added)
