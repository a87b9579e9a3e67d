"""The Docker engine as the compose tests use it: is there one, what does a project still have, and its containers."""

from __future__ import annotations

import subprocess

ASK_S = 60.0
BUILD_S = 900.0
KINDS = {
    "container": ("ps", "--all", "--format", "{{.Names}}"),
    "network": ("network", "ls", "--format", "{{.Name}}"),
    "volume": ("volume", "ls", "--format", "{{.Name}}"),
}


def docker(*words: str, within_s: float = ASK_S) -> str:
    """Run `docker …`; what it printed. Fails the test with all of it when the command fails."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=within_s, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)} exited {done.returncode}:\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def lack() -> str | None:
    """Why no engine can be used here; None when one answers and has compose."""
    for words in (("version", "--format", "{{.Server.Version}}"), ("compose", "version")):
        try:
            done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=ASK_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as problem:
            return f"docker can't be run: {problem}"
        if done.returncode:
            return f"`docker {' '.join(words)}`: {done.stderr.strip().splitlines()[-1]}"
    return None


def left_of(project: str) -> dict[str, list[str]]:
    """Containers, networks and volumes of a compose project; empty when nothing is left."""
    label = f"label=com.docker.compose.project={project}"
    found = {kind: docker(*words, "--filter", label).splitlines() for kind, words in KINDS.items()}
    return {kind: names for kind, names in found.items() if names}


def container(project: str, service: str) -> str:
    """The name of a service's one container, running or not."""
    (name,) = docker(
        "ps", "--all", "--format", "{{.Names}}",
        "--filter", f"label=com.docker.compose.project={project}",
        "--filter", f"label=com.docker.compose.service={service}",
    ).splitlines()  # fmt: skip
    return name
