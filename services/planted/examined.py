"""Examined: what the environment of one process asks of this package, sealed with the cluster's secret.

    CATALOG_FAILPOINTS   seal of "failpoints"           → failpoints, in CATALOG_RUN_DIR/failpoints
    CATALOG_TRACE        seal of "trace"                → a trace, in CATALOG_TRACE_DIR
    CATALOG_PLANTED      seal of "planted:<bug>"        → that bug

What always holds: a switch with anything but its seal stops the process with one sentence; it is never ignored, since
then a run would be judged as something that it was not.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from planted.adaptation import Adaptation, Together
from planted.bugs.table import BUGS
from planted.failing import Failing
from planted.failpoint import Failpoints
from planted.seal import unsealed
from planted.trace import Trace
from planted.tracing import Tracing

FAILPOINTS, TRACE, TRACE_DIR, PLANTED = "CATALOG_FAILPOINTS", "CATALOG_TRACE", "CATALOG_TRACE_DIR", "CATALOG_PLANTED"
RUN_DIR = "CATALOG_RUN_DIR"
AGENT_MODULE = "planted"


class BadSeal(ValueError):  # noqa: N818  # read as "raise BadSeal"
    """A switch is set, but not to its seal under this cluster's secret; the message names it, never the secret."""


def adaptation(environ: Mapping[str, str], secret: str, name: str) -> Together:
    """Return what the environment asks for, for the process `name`. Raises `BadSeal`."""
    asked: list[Adaptation] = []
    # The trace is innermost: it tells what really happens, whatever a bug around it leaves out or believes.
    if seal := environ.get(TRACE):
        _insist(TRACE, secret, seal, "trace")
        asked.append(Tracing(Trace(Path(_needed(environ, TRACE_DIR, TRACE)), name)))
    if seal := environ.get(PLANTED):
        bug = unsealed(secret, seal, (f"planted:{each}" for each in BUGS))
        if bug is None:
            raise BadSeal(f"{PLANTED} is no seal of a planted bug under this cluster's secret")
        asked.append(BUGS[bug.removeprefix("planted:")]())
    if seal := environ.get(FAILPOINTS):
        _insist(FAILPOINTS, secret, seal, "failpoints")
        if environ.get(RUN_DIR):  # the flusher has no folder of its own, and no failpoints
            asked.append(Failing(failpoints(environ, secret)))
    return Together(asked)


def failpoints(environ: Mapping[str, str], secret: str) -> Failpoints:
    """Return the failpoints of the node. Raises `BadSeal` where they are not switched on."""
    _insist(FAILPOINTS, secret, environ.get(FAILPOINTS, ""), "failpoints")
    return Failpoints(Path(_needed(environ, RUN_DIR, FAILPOINTS)) / "failpoints")


def _insist(variable: str, secret: str, seal: str, purpose: str) -> None:
    if unsealed(secret, seal, (purpose,)) is None:
        raise BadSeal(f"{variable} is not the seal of {purpose!r} under this cluster's secret")


def _needed(environ: Mapping[str, str], variable: str, why: str) -> str:
    if not environ.get(variable):
        raise BadSeal(f"{why} is set, and {variable} is not: a folder is needed")
    return environ[variable]
