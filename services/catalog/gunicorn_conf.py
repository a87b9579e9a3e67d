"""gunicorn's configuration of one node: `gunicorn -c python:catalog.gunicorn_conf catalog.wsgi:application`.

    master    imports the application, binds the node's port and one port per slot, opens nothing else
      ├─ fork ─▶ node-1/worker-1   accepts on the node's port and on that of slot 1
      └─ fork ─▶ node-1/worker-2   accepts on the node's port and on that of slot 2

A *slot* is a worker's number: its name, its own port and its pid file. What always holds: a worker that takes the place
of a killed one gets the killed one's slot, so `node-1/worker-1` is asked under the same address as before; and no
worker listens on the port of another, because it closes those sockets, which it inherited, before it serves.
"""

from __future__ import annotations

import gc

from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.sock import TCP6Socket, TCPSocket
from gunicorn.workers.base import Worker

from catalog import logs, one_write
from catalog.service import lifecycle_of
from catalog.settings import Serving, Settings, from_environment

_settings = from_environment(Settings)
_serving = from_environment(Serving)
_slot_sockets: list[TCPSocket] = []
logs.configure(_settings.log_format, node=_settings.node)
one_write.install()

bind = [_serving.bind]
workers = len(_serving.worker_binds)
worker_class = _serving.worker_class
threads = _serving.threads
backlog = 511
# One import for all workers, whose memory is then shared. gevent has to patch the standard library before anything
# else imports it, so its workers import the application themselves.
preload_app = worker_class != "gevent"
# No arbiter murders a silent worker: one that the examiner has paused must stay paused, and then go on as it was.
timeout = 0
graceful_timeout = 5
# Longer than nginx keeps an idle connection (60 s by default, 75 s here at most): the side that sends requests must be
# the one to close, or a request meets a closing connection.
keepalive = 80
control_socket_disable = True
accesslog = None
loglevel = "info"
proc_name = f"catalog {_settings.node}"


class logger_class(Logger):  # type: ignore[misc]  # noqa: N801 - gunicorn finds the setting by this name
    """gunicorn's own lines, in the shape of all others."""

    def setup(self, cfg: Config) -> None:
        """Hand the lines to the root logger in place of gunicorn's handler."""
        super().setup(cfg)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


def on_starting(arbiter: Arbiter) -> None:
    """Bind the slots' ports, once, before any worker exists; leave the metrics of an earlier life behind."""
    for address in _serving.worker_binds:
        kind = TCP6Socket if ":" in address[0] else TCPSocket
        try:
            _slot_sockets.append(kind(address, arbiter.cfg, arbiter.log))
        except OSError as error:
            raise SystemExit(f"catalog: CATALOG_WORKER_BINDS: {address[0]}:{address[1]}: {error.strerror}") from None
    if _serving.metrics_dir:
        for left in _serving.metrics_dir.glob("*.db"):
            left.unlink(missing_ok=True)


def when_ready(_arbiter: Arbiter) -> None:
    """Move everything imported so far out of the garbage collector's sight: it would write to each of these pages, and
    so unshare them, in every worker.
    """
    gc.collect()
    gc.freeze()


def pre_fork(arbiter: Arbiter, worker: Worker) -> None:
    """Give the worker to come the slot with the fewest living holders, the lowest of several.

    After a kill that is the killed worker's: the arbiter forgets a worker when it reaps it, and forks after that.
    During a reload (SIGHUP) every slot has a holder that is about to leave, and two generations share slots and names
    for a moment; counting holders instead of looking for a free slot spreads the new ones over all.
    """
    held = [each.slot for each in arbiter.WORKERS.values()]
    worker.slot = min(range(1, arbiter.num_workers + 1), key=lambda slot: (held.count(slot), slot))


def post_fork(_arbiter: Arbiter, worker: Worker) -> None:
    """Take the socket of the own slot, close those of the others, and write the pid file."""
    for slot, slot_socket in enumerate(_slot_sockets, start=1):
        if slot == worker.slot:
            # A new list: the old one is the arbiter's own, the same object for all workers.
            worker.sockets = [*worker.sockets, slot_socket]
        else:
            slot_socket.close()
    pid_file = _serving.run_dir / f"worker-{worker.slot}.pid"
    written = pid_file.with_suffix(".new")
    written.write_text(f"{worker.pid}\n", encoding="ascii")
    written.replace(pid_file)  # a reader finds the old pid or the new one, never half of one


def post_worker_init(worker: Worker) -> None:
    """Become the worker: open its cache and its database, in its own process."""
    lifecycle_of(worker.wsgi).start(f"{_settings.node}/worker-{worker.slot}")


def worker_exit(_arbiter: Arbiter, worker: Worker) -> None:
    """Close what the worker opened."""
    if worker.booted:
        lifecycle_of(worker.wsgi).stop()


def child_exit(_arbiter: Arbiter, worker: Worker) -> None:
    """Remove a dead worker's gauges: what it held, it holds no more. Its counters stay counted."""
    if _serving.metrics_dir:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid, str(_serving.metrics_dir))  # type: ignore[no-untyped-call]
