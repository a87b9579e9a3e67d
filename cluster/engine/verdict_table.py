"""A run's verdict on a terminal: the decision, each promise, the gates, the numbers that matter, where it all lies."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group
from rich.markup import escape
from rich.table import Table

from cluster.checker.verdict import Decision
from cluster.record.figures import Figures, Share
from cluster.record.run import RunRecord

COLOURS = {Decision.VALID: "green", Decision.INVALID: "red", Decision.UNKNOWN: "yellow"}
WITNESSES_MAX = 3


def show_run(console: Console, record: RunRecord, folder: Path) -> None:
    """Print it."""
    console.print(_verdict(record), "", sep="\n")
    if record.decision is not None:
        console.print(Group(_promises(record), "", _gates(record), ""), sep="\n")
        if record.figures is not None:
            console.print(_figures(record.figures), "", sep="\n")
        for cause in record.causes:
            console.print(f"  {cause.count:,} stale reads: {escape(cause.cause)}. {escape(cause.witness)}")
        for promise in record.promises:
            for witness in promise.witnesses[:WITNESSES_MAX]:
                console.print(f"  [red]{escape(promise.property)}[/]: {escape(witness)}", soft_wrap=True)
    console.print(f"  The run: {folder} (seed {record.scenario.seed})", soft_wrap=True)


def decided(decision: Decision | None) -> str:
    """A decision in its colour."""
    return "[dim]skipped[/]" if decision is None else f"[{COLOURS[decision]}]{decision.value}[/]"


def _verdict(record: RunRecord) -> str:
    return f"[bold]{escape(record.scenario.title)}[/]: {decided(record.decision)}: {escape(record.reason)}"


def _promises(record: RunRecord) -> Table:
    table = _table("promised", "", "checked", "broken", "excused")
    for each in record.promises:
        counts = (f"{count:,}" for count in (each.checked, each.found, each.excused))
        table.add_row(escape(each.text), decided(each.decision), *counts)
    return table


def _gates(record: RunRecord) -> Table:
    table = _table("seen enough?", "", "")
    for gate in record.gates:
        table.add_row(gate.gate, "[green]yes[/]" if gate.passed else "[yellow]no[/]", escape(gate.reason))
    return table


def _figures(figures: Figures) -> Table:
    table = _table("numbers", "all", "before", "fault", "after", "edge", "workers")
    parts = [figures.freshness[name] for name in ("all", "warm", "fault", "after", "edge", "workers")]
    table.add_row("stale reads", *(_share(part.stale) for part in parts))
    table.add_row("stale by at least", *(f"{part.worst_at_least_ns / 1e6:,.0f} ms" for part in parts))
    table.add_row("answered", _share(figures.answered), *("" for _ in parts[1:]))
    table.add_row("L1 and L2", _share(figures.hits), *("" for _ in parts[1:]))
    latency = figures.read_latency
    table.add_row("reads p50, p99", f"{latency.p50_ns / 1e6:,.1f}, {latency.p99_ns / 1e6:,.1f} ms", *("",) * 5)
    return table


def _share(share: Share) -> str:
    return f"{share.part:,} of {share.whole:,}" if share.whole else "–"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
