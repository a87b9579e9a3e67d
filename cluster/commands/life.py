"""`up` and `down`: what a person asks of the cluster becomes a `Topology`, and `lifecycle` does the rest."""

from __future__ import annotations

import os
from collections.abc import Iterable

import click

from cluster import topology as topologies
from cluster.launcher import LAUNCHERS
from cluster.lifecycle import bring_up, take_down
from cluster.runs import Runs
from cluster.topology import SETTINGS, STRATEGIES, STRATEGY_DEFAULT, WRITE_PATHS, Topology


def say(line: str) -> None:
    """A line of progress, on stderr: stdout is for results."""
    click.echo(f"  {line}", err=True)


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


@click.command()
@click.option("--nodes", type=int, default=3, show_default=True, help="Application servers.")
@click.option("--workers", type=int, default=2, show_default=True, help="Web processes of each, each with its own L1.")
@click.option(
    "--strategy", default=STRATEGY_DEFAULT, show_default=True, help=f"How L1 hears of writes: {_list(STRATEGIES)}."
)
@click.option("--write-path", default="cache-aside", show_default=True, help=f"{_list(WRITE_PATHS)}.")
@click.option("--launcher", default="processes", show_default=True, help=f"What runs it: {_list(LAUNCHERS)}.")
@click.option("--database-url", envvar="DATABASE_URL", help="PostgreSQL or MariaDB (default: the launcher's own).")
@click.option("--port", type=int, envvar="EDGE_PORT", help="The edge's port (default: 8080 if free; 0: any).")
@click.option("--direct", is_flag=True, help="Leave the links out: nothing between nodes and Redis, and no partitions.")
@click.option("--failpoints", is_flag=True, help="Let the services be crashed, or slowed down, at chosen places.")
@click.option("--trace", is_flag=True, help="Let the services write down what they do about invalidations.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help=f"Tell the services: {_list(SETTINGS)}.")
@click.pass_obj
def up(
    runs: Runs,
    nodes: int,
    workers: int,
    strategy: str,
    write_path: str,
    launcher: str,
    database_url: str | None,
    port: int | None,
    direct: bool,
    failpoints: bool,
    trace: bool,
    settings: tuple[str, ...],
) -> None:
    """Start the cluster, and return when it is ready. Does nothing when it runs already."""
    topology = Topology(
        nodes=nodes,
        workers=workers,
        strategy=strategy,
        write_path=write_path,
        launcher=launcher,
        database_url=database_url or None,
        edge_port=port,
        direct=direct,
        failpoints=failpoints,
        trace=trace,
        settings=topologies.parse_settings(settings),
    )
    brought = bring_up(topology, runs, say)
    from cluster.table import show_up

    show_up(brought, inside_make="MAKELEVEL" in os.environ)


@click.command()
@click.pass_obj
def down(runs: Runs) -> None:
    """End the cluster, and whatever a killed command left behind. Its run folder, with the logs, stays."""
    ended = take_down(runs, say)
    if ended is None:
        click.echo("No cluster was running.")
    else:
        click.echo(f"The cluster is down. Its logs: {ended.logs}")
