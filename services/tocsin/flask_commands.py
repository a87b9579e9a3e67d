"""Flask commands: `flask tocsin stats | explain | invalidate | watch`, for whoever wonders what the cache does.

What always holds: a command is a process of its own. It sees what all share, and its own L1 is empty; what a worker
holds is told by that worker's metrics.
"""

import contextlib
import math
from typing import TYPE_CHECKING

import click
from flask import current_app
from flask.cli import AppGroup

from tocsin.cache import View
from tocsin.clock import SystemClock
from tocsin.errors import NotConfigured, Unavailable
from tocsin.names import Names
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
    click.echo(f"namespace   {settings.namespace}")
    click.echo(f"redis       {'answers' if cache.ping() else 'does not answer'}")
    click.echo(
        f"kept for    {settings.l1_ttl_s:g} s in L1 ({settings.l1_max_bytes >> 20} MiB), {settings.l2_ttl_s:g} s in L2"
    )


@tocsin_commands.command("explain")
@click.argument("key")
def explain(key: str) -> None:
    """What is kept under KEY."""
    try:
        found = _installed().starting.unstarted.peek(key)
    except (Unavailable, ValueError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{key}: {_described(found.l2)}")


@tocsin_commands.command("invalidate")
@click.argument("keys", nargs=-1)
@click.option("--tag", "tags", multiple=True, help="A tag whose entries go.")
@click.option("--namespace", "namespaces", multiple=True, help="A namespace whose keys go.")
def invalidate(keys: tuple[str, ...], tags: tuple[str, ...], namespaces: tuple[str, ...]) -> None:
    """Forget KEYS, on all nodes."""
    if not keys and not tags and not namespaces:
        raise click.UsageError("nothing to invalidate: give keys, --tag or --namespace")
    try:
        names = Names(keys, tags, namespaces)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if _installed().starting.unstarted.invalidate(names).pending:
        raise click.ClickException("Redis does not answer: nobody was told. Try again later.")
    click.echo(f"invalidated {', '.join((*keys, *tags, *namespaces))}")


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


def _installed() -> "Installed":
    installed: Installed = current_app.extensions["tocsin"]
    return installed


def _described(view: View | None) -> str:
    if view is None:
        return "nothing in L2"
    what = "known not to exist" if view.negative else f"version {view.version}"
    if view.dirty:
        return f"{what}, written and not in the database yet"
    return f"{what}, for {view.ttl_s:.1f} s more"
