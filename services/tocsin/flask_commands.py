"""Flask commands: `flask tocsin stats | explain | invalidate | watch`, for whoever wonders what the cache does.

What always holds: a command is a process of its own. It sees what all share, and its own L1 is empty; what a worker
holds is told by that worker's metrics.
"""

import contextlib
import math
import os
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import AppGroup

from tocsin.clock import SystemClock
from tocsin.errors import NotConfigured, Unavailable
from tocsin.watching import invalidations

if TYPE_CHECKING:
    from tocsin.flask import Installed

tocsin_commands = AppGroup("tocsin", help="Look into the cache, and invalidate what is in it.")


@tocsin_commands.command("stats")
def stats() -> None:
    """How this application's cache is set up, and whether Redis answers."""
    installed = _installed()
    cache, settings = installed.starting.unstarted, installed.settings
    click.echo(f"strategy    {settings.strategy.value}, {settings.write_path.value}")
    click.echo(f"stampedes   {settings.protection.value}, at most {settings.loads_max} loads at once in a process")
    click.echo(f"namespace   {settings.namespace}")
    click.echo(f"redis       {'answers' if cache.ping() else 'does not answer'}")
    click.echo(
        f"kept for    {settings.l1_ttl_s:g} s in L1 ({settings.l1_max_bytes >> 20} MiB), {settings.l2_ttl_s:g} s in L2"
    )
    click.echo(f"hit rate    {_hit_rate()}")


@tocsin_commands.command("explain")
@click.argument("key")
def explain(key: str) -> None:
    """What the next read of KEY would find, level by level, and why."""
    try:
        explanation = _installed().starting.unstarted.explain(key)
    except ValueError as error:
        raise click.ClickException(str(error)) from error
    if any(step.cause.startswith("redis-") for step in explanation.steps):
        raise click.ClickException(explanation.text)
    click.echo(explanation.text)


@tocsin_commands.command("invalidate")
@click.argument("keys", nargs=-1)
@click.option("--tag", "tags", multiple=True, help="A tag whose entries go.")
@click.option("--namespace", "namespaces", multiple=True, help="A namespace whose keys go.")
@click.option("--pattern", default="", help="Keys that go: a whole prefix, such as 'product:*'.")
@click.option("--everything", is_flag=True, help="All there is goes.")
def invalidate(
    keys: tuple[str, ...], tags: tuple[str, ...], namespaces: tuple[str, ...], pattern: str, everything: bool
) -> None:
    """Forget KEYS, and what the options name, on all nodes."""
    if not any((keys, tags, namespaces, pattern, everything)):
        raise click.UsageError("nothing to invalidate: give keys, --tag, --namespace, --pattern or --everything")
    cache = _installed().starting.unstarted
    try:
        receipt = cache.invalidate(keys=keys, tags=tags, namespaces=namespaces, pattern=pattern, everything=everything)
    except (ValueError, NotConfigured) as error:
        raise click.UsageError(str(error)) from error
    if receipt.pending:
        raise click.ClickException("Redis does not answer: nobody was told. Try again later.")
    named = [*keys, *tags, *namespaces, *([pattern] if pattern else []), *(["everything"] if everything else [])]
    click.echo(f"invalidated {', '.join(named)}")


@tocsin_commands.command("watch")
@click.option("--count", type=click.IntRange(min=1), help="Stop after so many.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="Stop after this long.")
def watch(count: int | None, seconds: float | None) -> None:
    """Print each invalidation as it is heard, until Ctrl-C."""
    settings, clock = _installed().settings, SystemClock()
    end_s = math.inf if seconds is None else clock.now() + seconds
    left = math.inf if count is None else count
    try:
        with contextlib.closing(invalidations(settings)) as told:
            click.echo(f"watching {settings.namespace} ({settings.strategy.value}); Ctrl-C ends")
            for line in told:
                if line:
                    click.echo(line)
                    left -= 1
                if left <= 0 or clock.now() >= end_s:
                    break
    except KeyboardInterrupt:
        click.echo("")
    except (NotConfigured, Unavailable) as error:
        raise click.ClickException(str(error)) from error


def _hit_rate() -> str:
    """Return what the workers of this machine have counted together, where they count."""
    if not os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        return "not counted: set PROMETHEUS_MULTIPROC_DIR, and give Tocsin(app, observer=PrometheusObserver())"
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    from tocsin.prometheus import hit_rate_of

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return hit_rate_of(registry.collect()).described()


def _installed() -> "Installed":
    installed: Installed = current_app.extensions["tocsin"]
    return installed
