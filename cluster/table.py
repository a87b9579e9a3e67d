"""What a person reads in the terminal: the table after `up`, `status`, `doctor`. Imports rich, so only when needed."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cluster.doctor import Finding
from cluster.lifecycle import Brought
from cluster.status import LinkState, Server, State, Status
from cluster.topology import parse_database

COLOURS = {State.RUNNING: "green", State.PAUSED: "yellow", State.DEAD: "red"}


def show_up(brought: Brought, *, inside_make: bool) -> None:
    """The table after `up`: addresses, and what to try next, in the words that the person started with."""
    console = _console()
    status = brought.status
    workers = len(status.nodes[0].workers)
    size = f"{len(status.nodes)} nodes × {workers} workers, strategy {status.strategy}, {status.write_path}"
    if brought.fresh:
        console.print(f"[bold green]The cluster is up[/] after {brought.seconds:.1f} s: {size}")
    else:
        console.print(f"[bold green]The cluster is up already[/], nothing was changed: {size}")
    _print_servers(console, status)
    verb, node = ("make {}", "NODE=node-2") if inside_make else ("python -m cluster {}", "node-2")
    names = ("cluster-status", "cluster-down") if inside_make else ("status", "down")
    rows = {
        f"curl -i {status.edge.url}/api/products/1": "who answered, and from which layer",
        verb.format(f"kill {node}"): "then ask again",
        verb.format(f"partition {node}"): "cut it from Redis; `heal` mends it",
        verb.format(names[0]): "what runs, what is paused, cut or dead",
        verb.format(names[1]): "the end",
    }
    console.print("Try next")
    grid = _grid()
    for command, why in rows.items():
        grid.add_row(f"  [cyan]{escape(command)}[/]", f"[dim]{why}[/]")
    console.print(grid)


def show_status(status: Status) -> None:
    """Everything, one line per server, then what is cut."""
    console = _console()
    console.print(f"{status.launcher}, strategy {status.strategy}, {status.write_path}; {escape(status.run_dir)}")
    _print_servers(console, status)
    links = {link.name: link for link in status.links or ()}
    if status.link_server is not None and status.link_server.state is not State.RUNNING:
        console.print(f"  [red]cut[/] every link, since the link process is {status.link_server.state}")
        return
    for name in status.cut:
        console.print(f"  [yellow]cut[/] {name}" + (_evidence(links[name]) if name in links else ""))


def show_findings(findings: Iterable[Finding]) -> None:
    """What the machine has, with the reason and the remedy where it has not."""
    grid = _grid()
    for finding in findings:
        mark = "[green]yes[/]" if finding.ok else "[yellow]no[/]"
        grid.add_row(finding.what, mark, escape(finding.detail))
    _console().print(grid)


def _print_servers(console: Console, status: Status) -> None:
    grid = _grid()
    grid.add_row("  edge", _state(status.edge), status.edge.url, _pid(status.edge))
    for node in status.nodes:
        grid.add_row(f"  {node.name}", _state(node), node.url, _pid(node))
        for worker in node.workers:
            grid.add_row(f"    {worker.name.partition('/')[2]}", _state(worker), worker.url, _pid(worker))
    grid.add_row("  redis", _state(status.redis), status.redis.url, _pid(status.redis))
    grid.add_row("  database", "", escape(parse_database(status.database.url).shown), "")
    grid.add_row("  flusher", _state(status.flusher), "", _pid(status.flusher))
    if status.edge_agent is not None:
        grid.add_row("  edge-agent", _state(status.edge_agent), "", _pid(status.edge_agent))
    if status.link_server is not None:
        count = f"{len(status.links or ())} links between nodes and Redis, {len(status.cut)} cut"
        grid.add_row("  links", _state(status.link_server), count, _pid(status.link_server))
    console.print(grid)


def _evidence(link: LinkState) -> str:
    way = link.upstream if link.upstream == link.downstream else f"{link.upstream} there, {link.downstream} back"
    there, back = link.swallowed_bytes
    return f" ({way}): {there} bytes swallowed on the way there, {back} on the way back"


def _state(server: Server) -> str:
    return f"[{COLOURS[server.state]}]{server.state}[/]"


def _pid(server: Server) -> str:
    return "" if server.pid is None else f"[dim]pid {server.pid}[/]"


def _grid() -> Table:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_column(no_wrap=True)
    return grid


def _console() -> Console:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = 200  # a pipe or a log file folds lines itself
    return console
