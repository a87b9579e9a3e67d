"""The verbs that look and leave everything as it is: `status`, `logs`, `doctor`."""

from __future__ import annotations

import json

import click

from cluster.errors import BROKEN
from cluster.lifecycle import running_cluster
from cluster.runs import Runs
from cluster.topology import Topology


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs; the shape is in docs/contract.md §7.")
@click.pass_obj
def status(runs: Runs, as_json: bool) -> None:
    """What runs, what is paused, cut or dead."""
    _, launcher = running_cluster(runs)
    found = launcher.status()
    if as_json:
        click.echo(found.as_json())
        return
    from cluster.table import show_status

    show_status(found)


@click.command()
@click.argument("server", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C or the cluster's end.")
@click.option("-n", "--tail", type=click.IntRange(0), default=40, show_default=True, help="Lines of each log.")
@click.pass_obj
def logs(runs: Runs, server: str | None, follow: bool, tail: int) -> None:
    """The logs of everything, or of one SERVER: node-1, redis, edge, flusher, … (a wrong name lists them)."""
    _, launcher = running_cluster(runs)
    width = 0
    try:
        for line in launcher.logs(server, tail=tail, follow=follow):
            width = max(width, len(line.server))
            click.echo(line.text if server else f"{line.server:<{width}} | {line.text}")
    except KeyboardInterrupt:  # the way out of --follow, not a failure
        return


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--quick", is_flag=True, help="Start nothing: without the faults.")
@click.option("--launcher", default="processes", show_default=True, help="Of the small cluster that is asked.")
@click.option("--database-url", envvar="DATABASE_URL", help="Of the small cluster (default: the launcher's own).")
def doctor(as_json: bool, quick: bool, launcher: str, database_url: str | None) -> int:
    """What this machine can do, and why not.

    Which faults can be injected is asked of a small cluster, which is started for it and ended again.
    """
    from cluster.doctor import can_launch, examine
    from cluster.injectable import asked_of_a_small_cluster, summed_up

    asked = Topology(
        nodes=2,
        workers=1,
        launcher=launcher,
        database_url=database_url or None,
        edge_port=0,
        failpoints=True,
        trace=True,
    )
    findings = examine()
    if not quick and can_launch(findings):
        findings += asked_of_a_small_cluster(asked, lambda _: None)
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in findings], indent=2, ensure_ascii=False))
    else:
        from cluster.table import show_findings

        show_findings(summed_up(findings))
    return 0 if can_launch(findings) else BROKEN
