"""Serving: `python -m catalog serve [module:attribute]` becomes the server of a node that CATALOG_SERVER names.

    gunicorn (default)   this process becomes gunicorn's master: `gunicorn -c python:catalog.gunicorn_conf …`
    granian              this process is granian's master: `catalog.granian_node`

What always holds: the process that was started is the master itself, so that who signals its id reaches all of it.
Nothing heavy is imported before it is known which of the two it will be.
"""

from __future__ import annotations

import importlib.util
import os
import sys

APPLICATION = "catalog.wsgi:application"
SERVERS = ("gunicorn", "granian")


def serve(application: str = APPLICATION) -> None:
    """Serve until told to end. A server that is not known, or not installed, ends the process with one sentence."""
    server = os.environ.get("CATALOG_SERVER", SERVERS[0])
    if server not in SERVERS:
        raise SystemExit(f"catalog: CATALOG_SERVER is {server!r}: one of {', '.join(SERVERS)} is expected")
    if importlib.util.find_spec(server) is None:
        raise SystemExit(f"catalog: CATALOG_SERVER is {server!r}, which is not installed here: pip install {server}")
    if server == "gunicorn":
        words = ("-m", "gunicorn", "-c", "python:catalog.gunicorn_conf", application)
        os.execv(sys.executable, (sys.executable, *words))  # noqa: S606  # its words are ours
    from catalog import granian_node

    granian_node.serve(application)
