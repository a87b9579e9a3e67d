"""Logs of a project's containers: read from the engine while they are there, kept in the run folder when they go."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import Iterator, Mapping

from cluster.compose.containers import Container
from cluster.compose.engine import program, save_output
from cluster.errors import WrongInputError
from cluster.launcher import LogLine
from cluster.runs import Run

_PREFIXED = re.compile(r"(?P<service>\S+?)-\d+ +\| ?(?P<text>.*)")


def read_logs(
    project: str, services: Mapping[str, Container], server: str | None, *, tail: int, follow: bool
) -> Iterator[LogLine]:
    """The last `tail` lines of each service, or of one; with `follow` what comes, until the containers are gone.

    Raises WrongInputError that lists the services.
    """
    if server is not None and server not in services:
        raise WrongInputError(f"no log is called {server!r}; there are {', '.join(sorted(services)) or 'none yet'}")
    words = ["compose", "--ansi", "never", "-p", project, "logs", "--no-color", "--tail", str(tail)]
    words += ["--follow"] if follow else []
    words += [server] if server else []
    with subprocess.Popen(
        [program(), *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None, "asked for a pipe"
        try:
            for line in process.stdout:
                text = line.decode(errors="replace").rstrip("\r\n")
                found = _PREFIXED.fullmatch(text)
                yield LogLine(found["service"], found["text"]) if found else LogLine("compose", text)
        finally:  # the reader may stop at any line
            with contextlib.suppress(ProcessLookupError):
                process.terminate()


def keep_logs(run: Run, services: Mapping[str, Container]) -> None:
    """Write every container's whole log into the run folder, since the engine forgets it with the container."""
    for service, container in services.items():
        save_output(run.logs / f"{service}.log", ("logs", container.identity))
