"""`edge`: the caching edge before any origin, until Ctrl-C."""

from __future__ import annotations

import os
import signal
from types import FrameType

import click

from cluster.edge_alone import parse_origin, parse_place, running
from cluster.errors import ClusterError
from cluster.processes import binary


@click.command()
@click.option("--listen", default="127.0.0.1:8080", show_default=True, metavar="HOST:PORT", help="Where clients ask.")
@click.option("--origin", required=True, metavar="URL", help="Whose answers are cached, http://host:port.")
def edge(listen: str, origin: str) -> None:
    """Run the caching edge alone, before any origin, until Ctrl-C; nothing is left afterwards."""
    place, server = parse_place(listen), parse_origin(origin)

    def ended(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # signal's signature
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, ended)
    try:
        with running(binary.nginx().path, place, server, as_root=os.geteuid() == 0) as process:
            click.echo(f"caching {origin} on http://{place}; Ctrl-C stops it")
            code = process.wait()
    except KeyboardInterrupt:
        click.echo("stopped; nothing is left of it")
        return
    raise ClusterError(f"nginx ended by itself with code {code}; it says why above")
