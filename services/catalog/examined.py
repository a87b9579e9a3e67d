"""Examined: whether this process is one that the examiner watches, breaks at chosen places, or plants a bug in.

Without a switch in the environment, `planted` is not even imported, and the cache is the library's own.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from msgspec.structs import replace
from tocsin import Cache, CacheSettings, Observer, connect

from catalog.errors import BadSettings, DatabaseUnavailable

if TYPE_CHECKING:
    from planted.failpoint import Failpoints

SWITCHES = frozenset({"CATALOG_FAILPOINTS", "CATALOG_TRACE", "CATALOG_TRACE_DIR", "CATALOG_PLANTED"})
AGENT_MODULE = "planted"
TROUBLE = (DatabaseUnavailable,)  # says that the database is in trouble: its loads are left alone for a moment


def cache_of(
    settings: CacheSettings, secret: str, *, observer: Observer | None = None, environ: Mapping[str, str] = os.environ
) -> Cache:
    """Return the cache of one process, `settings.node`, with whatever its environment plants around it."""
    if not _is_examined(environ):
        return connect(settings, observer=observer, trouble=TROUBLE)
    from planted.examined import adaptation

    adapt = adaptation(environ, secret, settings.node)
    return connect(replace(settings, agent_module=AGENT_MODULE), observer=observer, trouble=TROUBLE, adapt=adapt)


def refuse_unsealed(environ: Mapping[str, str], secret: str, node: str) -> None:
    """Raise `BadSettings` for a switch that is not sealed with the cluster's secret."""
    if _is_examined(environ):
        from planted.examined import BadSeal, adaptation

        try:
            adaptation(environ, secret, node)
        except BadSeal as error:
            raise BadSettings(str(error)) from None


def failpoints_of(secret: str, environ: Mapping[str, str] = os.environ) -> Failpoints | None:
    """Return the node's failpoints; None where they are not switched on, as in all of production."""
    if not environ.get("CATALOG_FAILPOINTS"):
        return None
    from planted.examined import failpoints

    return failpoints(environ, secret)


def _is_examined(environ: Mapping[str, str]) -> bool:
    return any(environ.get(switch) for switch in SWITCHES)
