"""What a newcomer reads after the demo: one screen, widest things last, every number from the history."""

from __future__ import annotations

from collections import Counter

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from cluster.checker.anomaly import StaleRead
from cluster.checker.convergence import Convergence
from cluster.checker.verdict import Decision, Verdict
from cluster.demo.figures import Figures, Latency, Route, quantile
from cluster.demo.meaning import edge_of, meaning_of
from cluster.demo.play import Played
from cluster.history.operation import Layer

LAYERS = {
    Layer.EDGE: "the edge",
    Layer.L1: "L1, the worker's own",
    Layer.L2: "L2, Redis",
    Layer.DATABASE: "the database",
    Layer.NONE: "nobody says",
}
BAR = 24


def programme(figures: Figures, played: Played, *, title: str) -> Group:
    """All of it, to be printed. `title` says what was played on: strategy, write path, size."""
    return Group(
        f"[bold]{escape(title)}[/]",
        _indented(_headline(figures, played)),
        "",
        _indented(_requests(figures)),
        "",
        _indented(_freshness(figures)),
        "",
        _indented(_promises(figures, played)),
    )


def explanation(figures: Figures, strategy: str, *, command: str) -> list[str]:
    """Sentences below the tables: what they mean, the worst read as a story, what to try (`command` of a strategy)."""
    meaning = meaning_of(strategy)
    lines = [f"{meaning.sentence} {edge_of(strategy)}"]
    worst = max(
        (route.worst for route in (figures.edge, figures.workers) if route.worst is not None),
        key=lambda read: read.at_least_ns,
        default=None,
    )
    if worst is not None:
        lines.append(f"The stalest: {worst.witness(figures.origin_ns)}.")
    lines.append(f"The contrast: {command.format(meaning.next_strategy)}")
    return lines


def _headline(figures: Figures, played: Played) -> str:
    rate = figures.requests / played.traffic_s if played.traffic_s else 0
    share = figures.writes.asked / figures.requests if figures.requests else 0
    lines = [
        f"{figures.requests:,} requests in {played.traffic_s:.1f} s ({rate:,.0f} a second), {share:.1%} of them writes"
    ]
    if played.killed is not None:
        lines.append(
            f"{played.killed} was killed at {played.killed_at_s:.1f} s and started again after the traffic; meanwhile "
            "its own ports refuse"
        )
    if played.unsent:
        lines.append(f"{played.unsent:,} more were due while too many waited for an answer, and were not sent")
    return "\n".join(lines)


def _requests(figures: Figures) -> Table:
    table = _table("", "reads through the edge", "reads of single workers", "writes")
    edge, workers, writes = figures.edge, figures.workers, figures.writes
    three = (edge, workers, writes)
    table.add_row("asked", *(f"{each.asked:,}" for each in three))
    table.add_row("answered", *(_share(each.answered, each.asked) for each in three))
    table.add_row("errors", *(_errors(each.errors) for each in three))
    table.add_row("p50, p99", *(_latency(each.latency) for each in three))
    table.add_row("")
    for layer, name in LAYERS.items():
        if edge.layers[layer] or workers.layers[layer]:
            table.add_row(f"by {name}", _layer(edge, layer), _layer(workers, layer))
    return table


def _freshness(figures: Figures) -> Table:
    table = _table("", "reads through the edge", "reads of single workers")
    routes = (figures.edge, figures.workers)
    table.add_row("stale", *(_share(each.stale, each.judged, of=True) for each in routes))
    table.add_row("worst staleness", *(_interval(each.worst) for each in routes))
    return table


def _promises(figures: Figures, played: Played) -> Table:
    judgement = figures.judgement
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_row("workers know a write", _convergence(figures.worker_convergence))
    if played.unsettled is None:
        at_rest = f"{judgement.quiescent_agreement.checked:,} final answers agree with the database"
        table.add_row("at rest", f"[green]{at_rest}[/], {played.settled_s:.1f} s after the traffic")
    else:
        table.add_row("at rest", f"[red]{escape(played.unsettled)}[/]")
    for name, verdict, things in (
        ("new, then old", judgement.monotonic_reads, "reads of what the same session had read before"),
        ("own write unseen", judgement.read_your_writes, "reads of what the same session had written before"),
        ("lost writes", judgement.lost_write, "acknowledged writes"),
        ("phantoms", judgement.phantom, "reads (versions that nobody had written)"),
        ("leaks", judgement.leak, "personal pages (another user's data)"),
    ):
        table.add_row(name, _promise(verdict, things))
    return table


def _promise(verdict: Verdict, things: str) -> str:
    if verdict.decision is Decision.UNKNOWN:
        return f"[yellow]unknown: {escape(verdict.reason)}[/]"
    count = f"[red]{verdict.found:,}[/]" if verdict.found else "[green]none[/]"
    return f"{count} in {verdict.checked:,} {things}"


def _convergence(found: Convergence) -> str:
    if not found.after_ns:
        return "nobody asked a worker after a write"
    at_once = sum(after_ns == 0 for after_ns in found.after_ns) / len(found.after_ns)
    most, last = quantile(found.after_ns, 0.99), found.after_ns[-1]
    if not last:
        return f"at once, in {len(found.after_ns):,} observations"
    return f"{at_once:.1%} at once, 99 % within {_time(most)}, the last after {_time(last)}"


def _layer(route: Route, layer: Layer) -> str:
    share = route.layers[layer] / route.answered if route.answered else 0
    return f"{share:6.1%} [cyan]{'█' * round(share * BAR)}[/]"


def _interval(worst: StaleRead | None) -> str:
    if worst is None:
        return "[green]none[/]"
    most = "" if worst.at_most_ns is None else f", at most {_time(worst.at_most_ns)}"
    return f"[red]at least {_time(worst.at_least_ns)}[/]{most}"


def _share(part: int, whole: int, *, of: bool = False) -> str:
    if not whole:
        return "–"
    return f"{part:,} of {whole:,} ({part / whole:.2%})" if of else f"{part:,} ({part / whole:.2%})"


def _errors(errors: Counter[str]) -> str:
    if not errors:
        return "[green]none[/]"
    return ", ".join(f"[red]{count:,} {escape(name)}[/]" for name, count in errors.most_common())


def _latency(latency: Latency) -> str:
    return f"{_time(latency.p50_ns)}, {_time(latency.p99_ns)}" if latency.p99_ns else "–"


def _time(duration_ns: int) -> str:
    """A duration as a person says it: 0, 3.1 ms, 215 ms, 1.95 s."""
    milliseconds = duration_ns / 1e6
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 or not duration_ns else f"{milliseconds:.1f} ms"


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _indented(what: RenderableType) -> Padding:
    return Padding(what, (0, 0, 0, 2), expand=False)
