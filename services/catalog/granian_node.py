"""A node under granian, a server in Rust: `CATALOG_SERVER=granian python -m catalog serve`.

    master    opens the node's port, imports no application
      ├─ process 1 ─▶ node-1/worker-1   imports it; granian answers on the node's port, a thread on that of slot 1
      └─ process 2 ─▶ node-1/worker-2   …

The contract is that of gunicorn's nodes (docs/contract.md §5): the same names, ports and pid files. granian gives all
its workers one socket and nothing else, so a slot's own port is served by a thread of the worker, with werkzeug's
server: it is there for the examiner, who asks single workers; clients and the edge come by the node's port.

What always holds: granian numbers its workers from 1 and gives a replacement the number of the one it replaces, so a
slot is that number. While one is being replaced, both may listen on the slot's port (`SO_REUSEPORT`), under one name.
A worker that dies twice within 5.5 seconds makes granian give the node up, where gunicorn goes on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import partial
from multiprocessing import parent_process
from multiprocessing.process import BaseProcess
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server import Server
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.utils import import_string

from catalog import logs
from catalog.service import lifecycle_of
from catalog.settings import Serving, Settings, from_environment

# Longer than nginx keeps an idle connection, as for gunicorn: the side that sends requests must be the one to close.
IDLE_MS = 80_000


def serve(application: str) -> None:
    """Serve `module:attribute` until SIGTERM; leave the process with one sentence if that can't be meant."""
    settings, serving = from_environment(Settings), from_environment(Serving)
    logs.configure(settings.log_format, node=settings.node)
    for variable, addresses in (("CATALOG_BIND", [serving.address]), ("CATALOG_WORKER_BINDS", serving.worker_binds)):
        for address in addresses:
            # Before any worker exists: granian says such a thing with a traceback, and so would each worker.
            try:
                _listening(address).close()
            except OSError as error:
                raise SystemExit(f"catalog: {variable}: {address[0]}:{address[1]}: {error.strerror}") from None
    if serving.metrics_dir:
        for left in serving.metrics_dir.glob("*.db"):
            left.unlink(missing_ok=True)
    host, port = serving.address
    server = Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=len(serving.worker_binds),
        blocking_threads=serving.threads,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=IDLE_MS),
        websockets=False,
        respawn_failed_workers=True,
        log_dictconfig={"loggers": {"_granian": {"propagate": True}}, "formatters": {}, "handlers": {}},
    )
    # The way in that granian leaves for other loaders; it does not tell a loader which worker it loads for.
    server.serve(partial(_spawn, server._spawn_wsgi_worker), partial(_worker, serving, settings), wrap_loader=True)


def _spawn(spawn: Callable[..., None], number: int, name: str, load: Callable[..., object], *rest: Any) -> None:
    """Begin as the worker of that number: what granian calls in each new process."""
    threading.Thread(target=_leave_with, args=(parent_process(),), name="orphan", daemon=True).start()
    spawn(number, name, partial(load, number), *rest)


def _leave_with(master: BaseProcess | None) -> None:
    """End this worker when its master is no more; by itself it would go on, and keep the node's port."""
    if master is not None:
        master.join()  # waits for: the master's end
        os.kill(os.getpid(), signal.SIGTERM)


def _worker(serving: Serving, settings: Settings, application: str, slot: int) -> Flask:
    """Return the application, started under the slot's name, and listen on the slot's port."""
    flask: Flask = import_string(application)
    lifecycle_of(flask).start(f"{settings.node}/worker-{slot}")
    pid_file = serving.run_dir / f"worker-{slot}.pid"
    if serving.metrics_dir:
        _forget_gauges(pid_file.read_text(encoding="ascii") if pid_file.exists() else "", str(serving.metrics_dir))
    written = pid_file.with_suffix(".new")
    written.write_text(f"{os.getpid()}\n", encoding="ascii")
    written.replace(pid_file)  # a reader finds the old pid or the new one, never half of one
    listening = _listening(serving.worker_binds[slot - 1])
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    host, port = serving.worker_binds[slot - 1]
    server = make_server(host, port, flask, threaded=True, request_handler=_Quiet, fd=listening.fileno())
    threading.Thread(target=server.serve_forever, name=f"slot {slot}", daemon=True).start()
    return flask


def _forget_gauges(pid: str, folder: str) -> None:
    """Remove the gauges of the worker that had the slot before: what it held, it holds no more."""
    from prometheus_client.multiprocess import mark_process_dead

    with contextlib.suppress(ValueError):
        mark_process_dead(int(pid), folder)  # type: ignore[no-untyped-call]


def _listening(address: tuple[str, int]) -> socket.socket:
    """Return a socket that listens there, beside that of a worker which is about to leave."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    listening = socket.socket(family)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind(address)
        listening.listen(128)
    except OSError:
        listening.close()
        raise
    return listening


class _Quiet(WSGIRequestHandler):
    """Keeps connections open, and says nothing of single requests."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing."""
