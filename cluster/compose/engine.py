"""Engine: the docker command, bounded, and with its failures turned into one sentence.

Everything goes through the command line and nothing through a library: it is what a person would type, it finds the
engine by the person's own settings (context, DOCKER_HOST), and its version is the only one that must fit.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from cluster.errors import ClusterError, NotInTimeError, RefusedError

ASK_S = 20.0
LET_GO_S = 15.0
COMPOSE_MIN = (2, 24, 4)  # the first that knows `!override`
TAIL_LINES = 15
_NO_ENGINE = (
    "Cannot connect to the Docker daemon",
    "permission denied while trying to connect",
    "error during connect",
)


class NoEngineError(RefusedError):
    """There is no docker command, or no engine answers it."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a command said. `code` 0: it did it."""

    code: int
    out: str
    err: str


def docker(*words: str, within_s: float = ASK_S, environment: dict[str, str] | None = None) -> str:
    """Run `docker …` and return what it printed.

    Raises NoEngineError, NotInTimeError after `within_s`, and ClusterError with the command's last words.
    """
    said = ask(*words, within_s=within_s, environment=environment)
    if said.code:
        last = "".join(f"\n    {line}" for line in (said.err or said.out).strip().splitlines()[-TAIL_LINES:])
        raise ClusterError(f"`docker {' '.join(words)}` failed (status {said.code}):{last}")
    return said.out


def ask(
    *words: str, within_s: float = ASK_S, environment: dict[str, str] | None = None, out: IO[bytes] | None = None
) -> Said:
    """Run `docker …` whatever its exit status; `out` takes everything that it prints. Raises as `docker` does."""
    with subprocess.Popen(
        [program(), *words],
        stdin=subprocess.DEVNULL,
        stdout=out or subprocess.PIPE,
        stderr=subprocess.STDOUT if out else subprocess.PIPE,
        env=environment,
        start_new_session=True,  # Ctrl-C is for us: we end it, and then take down what it has made
    ) as process:
        try:
            stdout, stderr = process.communicate(timeout=within_s)
        except BaseException as problem:
            # Let it go gently: a client that is killed may leave a creation under way in the engine, which would
            # finish after our own `down` has looked.
            process.terminate()
            try:
                process.communicate(timeout=LET_GO_S)
            except subprocess.TimeoutExpired:
                process.kill()
            if isinstance(problem, subprocess.TimeoutExpired):
                raise NotInTimeError(f"`docker {' '.join(words)}` did not end within {within_s:g} s") from None
            raise
    said = Said(process.returncode, (stdout or b"").decode(errors="replace"), (stderr or b"").decode(errors="replace"))
    if said.code and any(sign in said.err for sign in _NO_ENGINE):
        raise NoEngineError(
            f"no Docker engine answers ({said.err.strip().splitlines()[-1]}); start one, or join its group"
        )
    return said


def program() -> str:
    """Where the docker command is. Raises NoEngineError."""
    found = shutil.which("docker")
    if found is None:
        raise NoEngineError(
            "there is no docker command here; https://docs.docker.com/engine/install says how to get it"
        )
    return found


def require() -> None:
    """Raise RefusedError, saying why, unless an engine answers and its compose plugin is new enough."""
    docker("version", "--format", "{{.Server.Version}}")
    said = ask("compose", "version", "--short")
    if said.code:
        raise RefusedError("docker has no compose plugin; install docker-compose-plugin (or Debian's docker-compose)")
    version = tuple(int(part) for part in re.findall(r"\d+", said.out)[:3])
    if version < COMPOSE_MIN:
        least = ".".join(str(part) for part in COMPOSE_MIN)
        raise RefusedError(f"docker compose {said.out.strip()} is too old for generated overrides; {least} will do")


def environment(ours: dict[str, str]) -> dict[str, str]:
    """The environment for `docker compose`: the person's (engine, images), with none of compose's own settings that
    would name another project or file, and with our values of the variables that docker-compose.yml reads.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COMPOSE_")}
    return kept | ours


def save_output(path: Path, words: Sequence[str]) -> None:
    """Write all that `docker …` prints into a file."""
    with path.open("wb") as file:
        ask(*words, out=file)
