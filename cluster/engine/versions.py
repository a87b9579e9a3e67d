"""What took part in a run: of each its version, for the record. What can't be asked is left out."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cluster.errors import ClusterError
from cluster.processes import binary

CLONE = Path(__file__).resolve().parents[2]
PACKAGES = ("flask", "gunicorn", "redis", "aiohttp", "uvloop")
ASK_S = 5.0


def versions() -> dict[str, str]:
    """Tocsin (its commit), Python, the machine, Redis, nginx, and the packages that matter."""
    found = {
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.release()}, {os.cpu_count()} cores",
    }
    commit = _commit()
    if commit:
        found["tocsin"] = commit
    for name, find in (("redis-server", binary.redis_server), ("nginx", binary.nginx)):
        try:
            found[name] = find().version
        except ClusterError:
            continue
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _commit() -> str | None:
    words = ("git", "describe", "--always", "--dirty", "--tags")
    try:
        done = subprocess.run(words, cwd=CLONE, capture_output=True, text=True, timeout=ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
