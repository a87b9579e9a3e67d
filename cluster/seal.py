"""Seal: what a switch of the services is set to, so that only who knows the cluster's secret can set it (contract §5).

    seal("…secret…", "failpoints") ─▶ CATALOG_FAILPOINTS=8c1f…     the keyed hash; it does not say what it is for

So the name of a planted bug stands in no environment and no run folder: whoever judges the run can't read it there.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from pathlib import Path

from cluster.runs import Run

PLANTED_VARIABLE = "TOCSIN_PLANTED"
"""The name of the bug that the next cluster is to have, in the environment of whoever brings it up."""
FAILPOINTS, TRACE = "failpoints", "trace"
TRACE_FOLDER = "trace"
_FILE = "planted"


def seal(secret: str, purpose: str) -> str:
    """The seal of a purpose: HMAC-SHA256, in hexadecimal digits."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def plant(run: Run, bug: str | None) -> None:
    """Keep the seal of a bug in the run folder, for all servers that are started in it; None: no bug."""
    if bug:
        path = _path(run)
        path.touch(mode=0o600)
        path.write_text(seal(run.secret(), f"planted:{bug}"), encoding="ascii")


def wished() -> str | None:
    """The bug that this process's environment asks for."""
    return os.environ.get(PLANTED_VARIABLE) or None


def switches(run: Run, *, trace_folder: str) -> dict[str, str]:
    """The sealed switches of a run's services: failpoints and trace where its topology asks for them, and the bug."""
    topology, secret = run.topology(), run.secret()
    sealed: dict[str, str] = {}
    if topology.failpoints:
        sealed["CATALOG_FAILPOINTS"] = seal(secret, FAILPOINTS)
    if topology.trace:
        sealed |= {"CATALOG_TRACE": seal(secret, TRACE), "CATALOG_TRACE_DIR": trace_folder}
    if _path(run).exists():
        sealed["CATALOG_PLANTED"] = _path(run).read_text(encoding="ascii")
    return sealed


def _path(run: Run) -> Path:
    return run.path / _FILE
