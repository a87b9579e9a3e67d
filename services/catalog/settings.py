"""Settings: everything that the environment says, parsed once into one frozen value.

    environment ── Settings.parse ──▶ Settings ──▶ the application, the flusher, gunicorn's configuration

What always holds: a `Settings` that exists is usable; nothing else in the service reads the environment. A variable
of ours that nobody knows (`CATALOG_THRAEDS`) is an error, because a setting that silently does nothing costs an
afternoon. Every error is one sentence that names the variable, what it holds and what it could hold.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError
from tocsin import CacheSettings, Strategy, WritePath
from tocsin.errors import SettingsError

from catalog.errors import BadSettings
from catalog.examined import SWITCHES, refuse_unsealed

NAMESPACE = "catalog"
SECRET_LENGTH_MIN = 8
WORKER_CLASSES = ("sync", "gthread", "gevent")
DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
    "mariadb+pymysql": "mariadb+pymysql",
}
OURS = frozenset(
    {
        "CATALOG_NODE",
        "CATALOG_BIND",
        "CATALOG_WORKER_BINDS",
        "CATALOG_SERVER",
        "CATALOG_WORKER_CLASS",
        "CATALOG_THREADS",
        "CATALOG_SECRET",
        "CATALOG_RUN_DIR",
        "CATALOG_LOG_FORMAT",
        *SWITCHES,
        "TOCSIN_STRATEGY",
        "TOCSIN_WRITE_PATH",
        "TOCSIN_L1_TTL_S",
        "TOCSIN_L2_TTL_S",
        "TOCSIN_L1_MAX_BYTES",
    }
)
# Variables of the command line that starts clusters. The services inherit them and must not mistake them for typos.
OF_THE_EXAMINER = frozenset({"TOCSIN_PLANTED", "TOCSIN_RUN", "TOCSIN_RUNS", "TOCSIN_REDIS_SERVER", "TOCSIN_NGINX"})
_NODE = re.compile(r"[a-z][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a server needs beyond the application: addresses, processes and the folder for pid files."""

    bind: str
    address: tuple[str, int]
    worker_binds: tuple[tuple[str, int], ...]
    worker_class: str
    threads: int
    run_dir: Path
    metrics_dir: Path | None

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> Serving:
        """Read the server's part of the environment. Raises `BadSettings`."""
        bind = _required(environ, "CATALOG_BIND")
        address = _address("CATALOG_BIND", bind)
        worker_class = environ.get("CATALOG_WORKER_CLASS", "gthread")
        if worker_class not in WORKER_CLASSES:
            raise _bad("CATALOG_WORKER_CLASS", worker_class, f"one of {', '.join(WORKER_CLASSES)}")
        run_dir = Path(_required(environ, "CATALOG_RUN_DIR"))
        if not run_dir.is_dir():
            raise _bad("CATALOG_RUN_DIR", str(run_dir), "an existing folder, for the pid files of the workers")
        metrics_dir = environ.get("PROMETHEUS_MULTIPROC_DIR")
        return cls(
            bind=bind,
            address=address,
            worker_binds=tuple(
                _address("CATALOG_WORKER_BINDS", each.strip())
                for each in _required(environ, "CATALOG_WORKER_BINDS").split(",")
            ),
            worker_class=worker_class,
            threads=_whole(environ, "CATALOG_THREADS", default=4, least=1, most=64),
            run_dir=run_dir,
            metrics_dir=Path(metrics_dir) if metrics_dir else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the service needs, whoever runs it. `cache.node` is the node's name until a worker gets its own."""

    node: str
    secret: str
    database_url: URL
    redis_url: str
    log_format: str
    cache: CacheSettings

    @classmethod
    def parse(cls, environ: Mapping[str, str]) -> Settings:
        """Read the environment. Raises `BadSettings`."""
        refuse_unknown(environ)
        node = _required(environ, "CATALOG_NODE")
        if not _NODE.fullmatch(node):
            raise _bad("CATALOG_NODE", node, "a name such as node-1 or flusher")
        secret = _required(environ, "CATALOG_SECRET")
        if len(secret) < SECRET_LENGTH_MIN:
            raise BadSettings(f"CATALOG_SECRET has {len(secret)} characters: at least {SECRET_LENGTH_MIN} are needed")
        refuse_unsealed(environ, secret, node)
        log_format = environ.get("CATALOG_LOG_FORMAT", "json")
        if log_format not in ("json", "console"):
            raise _bad("CATALOG_LOG_FORMAT", log_format, "json or console")
        redis_url = _required(environ, "REDIS_URL")
        database = database_url(environ)
        return cls(
            node=node,
            secret=secret,
            database_url=database,
            redis_url=redis_url,
            log_format=log_format,
            cache=_cache(environ, node=node, redis_url=redis_url, database=database),
        )


Parsed = TypeVar("Parsed", Serving, Settings)


def from_environment(kind: type[Parsed]) -> Parsed:
    """Parse this process's environment; leave the process with one sentence if it can't be meant."""
    try:
        return kind.parse(os.environ)
    except BadSettings as error:
        raise SystemExit(f"catalog: {error}") from None


def database_url(environ: Mapping[str, str]) -> URL:
    """Return `DATABASE_URL` with the driver that the service uses. Raises `BadSettings`."""
    refuse_unknown(environ)
    text = _required(environ, "DATABASE_URL")
    forms = "sqlite:////folder/file.db, postgresql://…, mysql://… or mariadb://…"
    try:
        url = make_url(text)
    except ArgumentError:
        raise BadSettings(f"DATABASE_URL can't be read: {forms} is expected") from None
    if url.drivername not in DRIVERS:
        raise _bad("DATABASE_URL", url.render_as_string(), forms)
    if url.drivername == "sqlite" and not (url.database and url.database.startswith("/")):
        raise _bad(
            "DATABASE_URL", text, "the absolute path of a file that all processes share: sqlite:////folder/file.db"
        )
    return url.set(drivername=DRIVERS[url.drivername])


def refuse_unknown(environ: Iterable[str]) -> None:
    """Raise `BadSettings` for the first variable that has our prefix and no meaning."""
    for name in sorted(environ):
        if name.startswith(("CATALOG_", "TOCSIN_")) and name not in OURS | OF_THE_EXAMINER:
            raise BadSettings(f"unknown variable {name}: the known ones are {', '.join(sorted(OURS))}")


def _cache(environ: Mapping[str, str], *, node: str, redis_url: str, database: URL) -> CacheSettings:
    try:
        return CacheSettings(
            redis_url=redis_url,
            node=node,
            namespace=NAMESPACE,
            strategy=Strategy.named(environ.get("TOCSIN_STRATEGY", "sequenced")),
            write_path=WritePath.named(environ.get("TOCSIN_WRITE_PATH", "cache-aside")),
            l1_ttl_s=_seconds(environ, "TOCSIN_L1_TTL_S", default=2.0),
            l2_ttl_s=_seconds(environ, "TOCSIN_L2_TTL_S", default=30.0),
            l1_max_bytes=_whole(environ, "TOCSIN_L1_MAX_BYTES", default=32 << 20, least=1 << 16, most=1 << 34),
            # Where a node has a folder of its own, what its workers share lies in it, and goes with it.
            outbox_url=database.render_as_string(hide_password=False),
            table_dir=str(Path(environ["CATALOG_RUN_DIR"]) / "table") if environ.get("CATALOG_RUN_DIR") else "",
        )
    except SettingsError as error:
        raise BadSettings(str(error)) from None


def _required(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise BadSettings(f"{name} is not set: docs/contract.md, section 5, lists what the service needs")
    return environ[name]


def _bad(name: str, given: str, expected: str) -> BadSettings:
    return BadSettings(f"{name} is {given!r}: {expected} is expected")


def _address(name: str, text: str) -> tuple[str, int]:
    split = urlsplit(f"//{text}")
    try:
        host, port = split.hostname, split.port
    except ValueError:
        host = port = None
    if not host or not port or split.path:
        raise _bad(name, text, "host:port")
    return host, port


def _whole(environ: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = environ.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise _bad(name, text, f"a whole number from {least} to {most}")
    return int(text)


def _seconds(environ: Mapping[str, str], name: str, *, default: float) -> float:
    text = environ.get(name, str(default))
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds <= 86_400.0:
        raise _bad(name, text, "a number of seconds above 0, at most 86400,")
    return seconds
