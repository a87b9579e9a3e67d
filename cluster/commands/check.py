"""The verb `check`: the examiner on somebody's own application, which runs already and has none of our code in it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec
from rich.console import Console

from cluster.application.adapter import load_adapter
from cluster.application.check import check as examine
from cluster.application.check import profile_of, scenario_of
from cluster.commands.examine import CODES, wide_console
from cluster.engine.cell import Observers
from cluster.engine.folders import new_folder
from cluster.engine.progress import Ticker
from cluster.engine.verdict_table import show_run
from cluster.engine.versions import versions
from cluster.record.store import RunFolder
from cluster.report.page import write_report
from cluster.runs import Runs


@click.command()
@click.option(
    "--target", required=True, type=click.Path(path_type=Path), help="How it is asked: TOML (docs/your-application.md)."
)
@click.option("--duration", "duration_s", type=float, help="Seconds of traffic, in place of the adapter's.")
@click.option("--rate", "rate_per_s", type=float, help="Requests a second, in place of the adapter's.")
@click.option("--seed", type=int, default=1, show_default=True, help="Fixes who asks for what and when.")
@click.pass_obj
def check(runs: Runs, /, target: Path, duration_s: float | None, rate_per_s: float | None, seed: int) -> int:
    """Examine an application that runs, and judge it by its own contract.

    Exit codes: 0 valid, 1 a promise was broken, 2 unknown.
    """
    adapter, text = load_adapter(target)
    asked = {"duration_s": duration_s, "rate_per_s": rate_per_s}
    changes = {name: value for name, value in asked.items() if value is not None}
    adapter = msgspec.structs.replace(adapter, traffic=msgspec.structs.replace(adapter.traffic, **changes))
    scenario = scenario_of(adapter, seed=seed)
    profile_of(adapter)
    folder = new_folder(runs, "check", now=datetime.now(UTC))
    with Ticker(Console(stderr=True, highlight=False)) as ticker:
        ticker.begin("", duration_s=scenario.duration_s)
        record = examine(
            adapter,
            text,
            RunFolder(folder),
            seed=seed,
            argv=tuple(sys.argv[1:]),
            versions=versions(),
            observers=Observers(tell=ticker.tell, watch=ticker.watch),
        )
    write_report(folder)
    show_run(wide_console(), record, folder)
    return CODES[record.decision]
