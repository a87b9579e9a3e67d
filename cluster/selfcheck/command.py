"""The verb `selfcheck`: can the examiner convict, and does it acquit?"""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cluster.commands.examine import CODES, WIDTH_MIN
from cluster.engine.folders import new_folder
from cluster.engine.progress import Ticker
from cluster.engine.versions import versions
from cluster.errors import WrongInputError
from cluster.runs import Runs
from cluster.selfcheck.checking import FILE, SelfCheck, quick_plan, whole_plan
from cluster.selfcheck.planted import PLANTED
from cluster.selfcheck.scorecard import BAD, GOOD, Scorecard


@click.command()
@click.option("--quick", is_flag=True, help="A few bugs and controls, in some minutes.")
@click.option("--bug", "bugs", multiple=True, help=f"Only these bugs, and no control: {', '.join(PLANTED)}.")
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--duration", "duration_s", type=float, help="Seconds of traffic of each run.")
@click.pass_obj
def selfcheck(runs: Runs, quick: bool, bugs: tuple[str, ...], seed: int, duration_s: float | None) -> int:
    """Plant every known bug in clusters of one's own and see whether it is convicted, of what, and by which cause; then
    see whether clean strategies are acquitted.

    Exit codes: 0 all found out, 1 a bug escaped or a clean strategy was accused, 2 something could not be decided.
    """
    plan = quick_plan(seed) if quick else whole_plan(seed)
    if bugs:
        wrong = sorted(set(bugs) - set(PLANTED))
        if wrong:
            raise WrongInputError(f"no planted bug is called {', '.join(wrong)}; there are {', '.join(PLANTED)}")
        plan = replace(plan, bugs=bugs, controls={})
    if duration_s is not None:
        plan = replace(plan, duration_s=duration_s)
    folder = new_folder(runs, "selfcheck", now=datetime.now(UTC))
    with Ticker(Console(stderr=True, highlight=False)) as ticker:
        check = SelfCheck(plan=plan, folder=folder, screen=ticker, versions=versions(), argv=tuple(sys.argv[1:]))
        scorecard = check.perform()
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH_MIN)
    console.print(_table(scorecard), "", sep="\n")
    console.print(f"[bold]{scorecard.decision}[/]: {scorecard.banner}", f"  {folder / FILE}", sep="\n", soft_wrap=True)
    return CODES[scorecard.decision]


def _table(scorecard: Scorecard) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="bold")
    for title in ("", "finding", "wanted", "said"):
        table.add_column(title)
    for line in scorecard.lines:
        colour = "green" if line.finding in GOOD else "red" if line.finding in BAD else "yellow"
        table.add_row(escape(line.name), f"[{colour}]{line.finding}[/]", escape(line.wanted), escape(line.said))
    return table
