"""`edge`: the caching edge before any origin, until Ctrl-C; with a backplane, or without one."""

from __future__ import annotations

import os
import re
import secrets
import signal
from pathlib import Path
from types import FrameType

import click

from cluster.edge_alone import Backplane, parse_origin, parse_place, running, wait_for_first
from cluster.errors import ClusterError, WrongInputError
from cluster.processes import binary

SECRET = re.compile(r"[A-Za-z0-9_\-]{8,200}")
BOOT_CLOCK = Path("/proc/uptime")


@click.command()
@click.option("--listen", default="127.0.0.1:8080", show_default=True, metavar="HOST:PORT", help="Where clients ask.")
@click.option("--origin", required=True, metavar="URL", help="Whose answers are cached, http://host:port.")
@click.option("--redis", "redis_url", metavar="URL", help="Hear the invalidations of services that use this Redis.")
@click.option("--namespace", default="cache", show_default=True, help="Their namespace in it.")
@click.option(
    "--secret-file",
    type=click.Path(path_type=Path),
    help="The secret that the services sign sessions with; without it, sessions promise nothing here.",
)
def edge(listen: str, origin: str, redis_url: str | None, namespace: str, secret_file: Path | None) -> None:
    """Run the caching edge alone, before any origin, until Ctrl-C; nothing is left afterwards.

    With --redis it hears of invalidations, and keeps only what its origin proves (docs/edge.md).
    """
    place, server = parse_place(listen), parse_origin(origin)
    backplane = None if redis_url is None else _backplane(redis_url, namespace, secret_file)

    def ended(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # signal's signature
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, ended)
    try:
        as_root = os.geteuid() == 0
        with running(binary.nginx().path, place, server, as_root=as_root, backplane=backplane) as children:
            click.echo(f"caching {origin} on http://{place}{_hears(backplane)}; Ctrl-C stops it")
            name, code = wait_for_first(children)
    except KeyboardInterrupt:
        click.echo("stopped; nothing is left of it")
        return
    raise ClusterError(f"{name} ended by itself with code {code}; it says why above")


def _backplane(redis_url: str, namespace: str, secret_file: Path | None) -> Backplane:
    if not redis_url.startswith(("redis://", "rediss://", "unix://")):
        raise WrongInputError("--redis is no address of a Redis; write redis://host:port/0")
    if not BOOT_CLOCK.exists():
        raise WrongInputError(f"--redis needs {BOOT_CLOCK}, a clock that nobody can set, which only Linux has")
    secret = secrets.token_urlsafe(32)
    if secret_file is not None:
        try:
            secret = secret_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as problem:
            raise WrongInputError(f"--secret-file {secret_file} can't be read: {problem}") from None
        if not SECRET.fullmatch(secret):
            raise WrongInputError(f"--secret-file {secret_file}: 8 to 200 letters, digits, '-' or '_' are expected")
    return Backplane(redis_url=redis_url, namespace=namespace, secret=secret)


def _hears(backplane: Backplane | None) -> str:
    return "" if backplane is None else f", which hears the namespace {backplane.namespace}"
