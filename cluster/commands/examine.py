"""The verbs that examine: `run`, `recheck`, `replay`, `list`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import click
import msgspec
from rich.console import Console

from cluster.checker.verdict import Decision
from cluster.contract.contracts import contract_of
from cluster.engine.cell import Observers
from cluster.engine.folders import new_folder, newest
from cluster.engine.judging import judged
from cluster.engine.own_cluster import OwnCluster
from cluster.engine.progress import Ticker
from cluster.engine.verdict_table import show_run
from cluster.engine.versions import versions
from cluster.errors import BROKEN, UNKNOWN, WrongInputError
from cluster.fault.catalogue import FAULTS, fault_named
from cluster.record.store import RUN, RunFolder
from cluster.runs import CLUSTER, Runs
from cluster.scenario.scenario import FaultStep, Scenario
from cluster.scenario.toml import load_scenario, parse_parameters
from cluster.topology import STRATEGIES, parse_settings
from cluster.workload.workloads import WORKLOADS, workload_named

WIDTH_MIN = 120
CHECKERS = (
    "phantom", "linearizable", "regular", "staleness", "session", "convergence", "quiescent_agreement", "lost_write",
    "leak", "stampede", "availability",
)  # fmt: skip
CODES = {Decision.VALID: 0, Decision.INVALID: BROKEN, Decision.UNKNOWN: UNKNOWN, None: UNKNOWN}
"""The exit code of a decision; a run that was skipped has shown nothing."""


@click.command()
@click.argument("scenario", required=False, type=click.Path(path_type=Path))
@click.option("--strategy", help=f"What is examined: {', '.join(STRATEGIES)}.")
@click.option("--write-path", help="… with this write path.")
@click.option("--fault", "faults", help="Faults by name, joined by commas; `list faults` names them. none: no fault.")
@click.option("--target", help="Whom each fault hits: one, minority, majority, all, or a name.")
@click.option("--parameter", "parameters", multiple=True, metavar="NAME=VALUE", help="Of the faults.")
@click.option("--workload", help=f"The traffic: {', '.join(WORKLOADS)}.")
@click.option("--duration", "duration_s", type=float, help="Seconds of traffic.")
@click.option("--rate", "rate_per_s", type=float, help="Requests a second.")
@click.option("--seed", type=int, help="Fixes who asks for what and when, and who suffers.")
@click.option("--nodes", type=int)
@click.option("--workers", type=int, help="Of each node.")
@click.option("--launcher", help="What runs the cluster.")
@click.option("--database-url", help="PostgreSQL or MariaDB (default: the launcher's own).")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Tell the services.")
@click.pass_obj
def run(
    runs: Runs,
    /,
    scenario: Path | None,
    faults: str | None,
    target: str | None,
    parameters: tuple[str, ...],
    settings: tuple[str, ...],
    **asked: object,
) -> int:
    """Examine one strategy under faults, on a cluster of its own, and judge it by its contract.

    From a SCENARIO file (TOML), from options, or both: options win. Exit codes: 0 valid, 1 a promise was broken, 2
    unknown.
    """
    chosen = load_scenario(scenario) if scenario else Scenario()
    changes = {name: value for name, value in asked.items() if value is not None}
    if settings:
        changes["settings"] = dict(parse_settings(settings))
    if faults is not None:
        names = [name.strip() for name in faults.split(",") if name.strip() not in ("", "none")]
        facts = parse_parameters(parameters)
        changes["faults"] = tuple(FaultStep(fault=name, target=target or "one", parameters=facts) for name in names)
    elif target or parameters:
        raise WrongInputError("--target and --parameter are about --fault, which is missing")
    return perform(runs, msgspec.structs.replace(chosen, **changes))


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def replay(runs: Runs, folder: Path | None) -> int:
    """Run a stored run's scenario again, with its seed, on a new cluster (default: the newest run)."""
    record = RunFolder(folder or newest(runs, RUN)).read()
    return perform(runs, record.scenario)


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.pass_obj
def recheck(runs: Runs, folder: Path | None) -> int:
    """Judge a stored run again, from its history alone (default: the newest run). Its record gets the new verdict."""
    place = RunFolder(folder or newest(runs, RUN))
    before = place.read()
    record = judged(place, before)
    place.write(record)
    console = wide_console()
    if before.decision is not record.decision:
        console.print(f"  it was {before.decision}, and is now {record.decision}")
    show_run(console, record, place.path)
    return CODES[record.decision]


@click.command(name="list")
@click.argument("what", type=click.Choice(["faults", "strategies", "workloads", "checkers"]))
def list_names(what: str) -> None:
    """Name the FAULTS, STRATEGIES, WORKLOADS or CHECKERS that there are, a line each."""
    lines: dict[str, Callable[[], list[tuple[str, str]]]] = {
        "faults": lambda: [(name, fault_named(name).summary) for name in FAULTS],
        "strategies": _strategies,
        "workloads": lambda: [(each.name, each.summary) for each in WORKLOADS.values()],
        "checkers": _checkers,
    }
    found = lines[what]()
    width = max(len(name) for name, _ in found)
    for name, text in found:
        click.echo(f"{name:<{width}}  {text}".rstrip())


def perform(runs: Runs, scenario: Scenario) -> int:
    """Run a scenario on a cluster of its own, show its verdict, and return the exit code."""
    workload_named(scenario.workload)
    for step in scenario.faults:
        fault_named(step.fault)
    folder = new_folder(runs, "run", now=datetime.now(UTC))
    console = Console(stderr=True, highlight=False)
    with Ticker(console) as ticker:
        ticker.begin("", duration_s=scenario.duration_s)
        own = OwnCluster(folder / CLUSTER, ticker.say)
        try:
            record = own.examine(
                scenario,
                RunFolder(folder),
                argv=tuple(sys.argv[1:]),
                versions=versions(),
                observers=Observers(tell=ticker.tell, watch=ticker.watch),
            )
        finally:
            own.close()
    from cluster.report.page import write_report

    write_report(folder)
    show_run(wide_console(), record, folder)
    return CODES[record.decision]


def _strategies() -> list[tuple[str, str]]:
    return [(name, contract_of(name, "cache-aside", {}).summary) for name in STRATEGIES]


def _checkers() -> list[tuple[str, str]]:
    """Each judge's module opens with what it asks."""
    found = []
    for name in CHECKERS:
        story = import_module(f"cluster.checker.{name}").__doc__ or ""
        found.append((name.replace("_", " "), story.splitlines()[0].partition(": ")[2]))
    return found


def wide_console() -> Console:
    """A terminal wide enough for the tables, also where it is none."""
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH_MIN)
    return console
