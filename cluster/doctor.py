"""Doctor: what this machine can do for a cluster, and where it can't, why not and what to try.

Which faults it can inject is asked of a cluster: cluster.injectable.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from cluster.errors import ClusterError
from cluster.ports import ephemeral_range
from cluster.processes import binary

PYTHONS = ((3, 11), (3, 13))
ASK_S = 10.0
PROCESSES, COMPOSE = "launcher: processes", "launcher: compose"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked for. `detail`: its version, or the reason and the remedy."""

    what: str
    ok: bool
    detail: str

    def as_dict(self) -> dict[str, object]:
        """For --json."""
        return asdict(self)


def examine() -> tuple[Finding, ...]:
    """Look for everything. Starts nothing that stays."""
    needs = (_python(), _kernel(), _binary("redis", binary.redis_server), _binary("nginx with njs", binary.nginx))
    docker = _docker()
    missing = ", ".join(finding.what for finding in needs if not finding.ok)
    return (
        *needs,
        _ports(),
        docker,
        _program("postgresql", ("postgres", "initdb"), "apt-get install postgresql", ("/usr/lib/postgresql/*/bin",)),
        _program("mariadb", ("mariadbd", "mysqld"), "apt-get install mariadb-server", ("/usr/sbin",)),
        _program("chromium", ("chromium", "chromium-browser", "google-chrome"), "apt-get install chromium"),
        _network_namespaces(),
        Finding(PROCESSES, not missing, f"lacks {missing}" if missing else "`up` will do"),
        Finding(COMPOSE, docker.ok, "`up --launcher compose` will do" if docker.ok else "lacks a Docker engine"),
    )


def can_launch(findings: Iterable[Finding]) -> bool:
    """Whether at least one launcher can bring a cluster up here."""
    return any(finding.ok for finding in findings if finding.what in (PROCESSES, COMPOSE))


def _python() -> Finding:
    low, high = PYTHONS
    ok = low <= sys.version_info[:2] <= high
    return Finding("python", ok, f"{platform.python_version()}" + ("" if ok else "; 3.11 to 3.13 is needed"))


def _kernel() -> Finding:
    ok = sys.platform == "linux" and hasattr(os, "pidfd_open") and Path("/proc/self/stat").exists()
    return Finding("linux", ok, platform.release() if ok else "plain processes are followed through Linux's /proc")


def _binary(what: str, find: Callable[[], binary.Binary]) -> Finding:
    try:
        found = find()
    except ClusterError as problem:
        return Finding(what, False, str(problem))
    return Finding(what, True, f"{found.version}, {found.path}")


def _ports() -> Finding:
    low, high = ephemeral_range()
    return Finding("ports", True, f"the kernel takes {low}-{high} for outgoing connections; servers get others")


def _docker() -> Finding:
    if shutil.which("docker") is None:
        return Finding("docker", False, "no docker command; https://docs.docker.com/engine/install")
    engine = _says("docker", "version", "--format", "{{.Server.Version}}")
    if engine is None:
        return Finding("docker", False, "no engine answers `docker version`; start one, or join its group")
    compose = _says("docker", "compose", "version", "--short")
    if compose is None:
        return Finding("docker", False, f"engine {engine}, but no compose plugin; install docker-compose-plugin")
    return Finding("docker", True, f"engine {engine}, compose {compose}")


def _program(what: str, names: tuple[str, ...], remedy: str, folders: tuple[str, ...] = ()) -> Finding:
    places = [str(path) for pattern in folders for path in sorted(Path("/").glob(pattern.lstrip("/")))]
    path = os.pathsep.join([os.environ.get("PATH", ""), *places])
    found = next((found for name in names if (found := shutil.which(name, path=path))), None)
    if found is None:
        return Finding(what, False, f"not found; {remedy} (only some tests want it)")
    return Finding(what, True, found)


def _network_namespaces() -> Finding:
    said = _says("unshare", "--user", "--map-root-user", "--net", "true")
    return Finding(
        "network namespaces", said is not None, "`unshare` makes one" if said is not None else "not allowed here"
    )


def _says(*words: str) -> str | None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
