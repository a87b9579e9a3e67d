"""The verb `demo`: parses, sets the stage, plays, prints."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

import click
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding

from cluster.demo.figures import figures_of
from cluster.demo.play import Plan, Play, Played
from cluster.demo.programme import explanation, programme
from cluster.demo.stage import Stage, set_stage
from cluster.demo.ticker import Ticker
from cluster.history.reader import read_history
from cluster.history.recorder import Recorder
from cluster.runs import Runs
from cluster.status import Status
from cluster.topology import STRATEGY_DEFAULT
from cluster.workload.profile import Profile

PRODUCTS = tuple(range(1, 201))
SEEDS = 1 << 16
WIDTH_MIN = 120


@click.command()
@click.option("--strategy", help=f"Play on a cluster with it (default: the one that runs, else {STRATEGY_DEFAULT}).")
@click.option("--write-path", help="… with this write path.")
@click.option("--nodes", type=int, help="… with so many nodes.")
@click.option("--workers", type=int, help="… with so many workers a node.")
@click.option("--launcher", help="… run by this launcher.")
@click.option("--database-url", envvar="DATABASE_URL", help="… on this database.")
@click.option("--port", "edge_port", type=int, envvar="EDGE_PORT", help="… whose edge listens here.")
@click.option("--seed", type=int, help="Fixes who asks for what and when, and what is killed.")
@click.option("--duration", type=click.FloatRange(min=1), default=20, show_default=True, help="Seconds of traffic.")
@click.option("--rate", type=click.FloatRange(min=1), default=400, show_default=True, help="Requests a second.")
@click.pass_obj
def demo(runs: Runs, /, seed: int | None, duration: float, rate: float, **asked: object) -> None:
    """A first look: real traffic, a killed node, and what the clients saw.

    Brings the cluster up if none runs. If another one runs than was asked for, the demo gets one of its own, beside it.
    """
    stage = set_stage({name: value for name, value in asked.items() if value is not None}, runs, _say)
    try:
        status = stage.status()
        folder = stage.run.folder("demo") / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        folder.mkdir(mode=0o700)
        seed = SystemRandom().randrange(SEEDS) if seed is None else seed
        plan = Plan(
            profile=Profile(products=PRODUCTS, rate_per_s=rate),
            duration_s=duration,
            seed=seed,
            run_tag=secrets.token_hex(4),
        )
        path = folder / "history.jsonl"
        _print_opening(status, plan)
        played = _perform(stage, status, plan, path)
        _print_programme(status, played, path, seed=seed)
    finally:
        stage.close(_say)
    if stage.fresh and not stage.own:
        click.echo(f"  The cluster stays up: {status.edge.url}/ ; {_command('cluster-down', 'down')} ends it.")


def _perform(stage: Stage, status: Status, plan: Plan, path: Path) -> Played:
    """Play, with Ctrl-C as a wish to stop; a second one stops at once, though what was killed is started again."""
    console = Console(stderr=True, highlight=False)

    async def main() -> Played:
        loop, stop, me = asyncio.get_running_loop(), asyncio.Event(), asyncio.current_task()
        assert me is not None, "a coroutine runs in a task"

        def interrupt() -> None:
            if stop.is_set():
                me.cancel()
            stop.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt)
        return await Play(stage, plan, recorder, tell=ticker.tell, watch=ticker.watch).perform(stop)

    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    with (
        Recorder(
            path, strategy=status.strategy, write_path=status.write_path, seed=plan.seed, started_at=started_at
        ) as recorder,
        Ticker(console, duration_s=plan.duration_s) as ticker,
    ):
        try:
            return asyncio.run(main())
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


def _print_opening(status: Status, plan: Plan) -> None:
    click.echo(
        f"{plan.duration_s:g} s of traffic at {plan.profile.rate_per_s:g} requests a second through {status.edge.url} "
        f"and to each worker (seed {plan.seed}); a node is killed half way.",
        err=True,
    )


def _print_programme(status: Status, played: Played, path: Path, *, seed: int) -> None:
    figures = figures_of(read_history(path))
    console = Console(highlight=False)
    console.width = max(console.width, WIDTH_MIN)  # narrower, the terminal folds; numbers stay together
    size = f"{len(status.nodes)} nodes × {len(status.nodes[0].workers)} workers"
    title = f"What clients saw: strategy {status.strategy}, {status.write_path}, {size}"
    command = _command("demo STRATEGY={}", "demo --strategy {}")
    with console.capture() as printed:
        console.print("", programme(figures, played, title=title), "", sep="\n")
        for line in explanation(figures, status.strategy, command=command):
            console.print(Padding(escape(line), (0, 0, 0, 2), expand=False))
        console.print(f"  The history: {path} (seed {seed})", soft_wrap=True)
    click.echo("\n".join(line.rstrip() for line in printed.get().splitlines()))


def _command(made: str, typed: str) -> str:
    """A command in the words that the person started with."""
    return f"make {made}" if "MAKELEVEL" in os.environ else f"python -m cluster {typed}"


def _say(line: str) -> None:
    click.echo(f"  {line}", err=True)
