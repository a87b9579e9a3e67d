"""Logs: one JSON object a line on standard error, with node, worker, key and sequence as fields of their own.

    {"event": "written", "level": "info", "timestamp": "…", "node": "node-1", "worker": "node-1/worker-2",
     "kind": "update", "key": "product:7", "version": 4}

What always holds: a log line holds no value, no secret and no cookie; the same words name the same things everywhere
(the event is a past participle, the rest are fields).
"""

from __future__ import annotations

import logging
import sys

import structlog

_process: dict[str, str] = {}  # node and worker: fields of every line of this process


class _FlatLines(logging.Formatter):
    """Lines of the standard library's loggers (gunicorn, Celery, SQLAlchemy) in the same shape as ours."""

    def __init__(self, renderer: structlog.typing.Processor) -> None:
        super().__init__()
        self._renderer = renderer
        self._stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)

    def format(self, record: logging.LogRecord) -> str:
        line: structlog.typing.EventDict = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            **_process,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return str(self._renderer(None, "", self._stamp(None, "", line)))


def identify(**fields: str) -> None:
    """Set fields of every later line of this process, from whichever thread it comes."""
    _process.update(fields)


def configure(log_format: str, *, node: str) -> None:
    """Set up structlog and the standard library's root logger; `log_format` is `json` or `console`."""
    identify(node=node)
    console = log_format == "console"
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=False) if console else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            _add_process,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if console else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_FlatLines(renderer))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)


def _add_process(_logger: object, _method: str, line: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {**line, **_process}
