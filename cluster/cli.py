"""The command line: one group, and a table of verbs. Each verb is imported when it is typed, so none pays for another.

Every way out has an exit code of `docs/contract.md` §6: click's usage errors are 254 here (2 means "unknown" to those
who judge), what a verb can't do is 1 with one sentence, and whatever else is raised is a mistake of ours: 255.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import click

from cluster.errors import BROKEN, EXAMINER_FAILED, USAGE, ClusterError
from cluster.runs import VARIABLE, runs_folder

# verb -> where it is; the order is that of the help
VERBS = {
    "up": "cluster.commands.life:up",
    "down": "cluster.commands.life:down",
    "status": "cluster.commands.look:status",
    "logs": "cluster.commands.look:logs",
    "kill": "cluster.commands.chaos:kill",
    "pause": "cluster.commands.chaos:pause",
    "resume": "cluster.commands.chaos:resume",
    "restart": "cluster.commands.chaos:restart",
    "partition": "cluster.commands.chaos:partition",
    "heal": "cluster.commands.chaos:heal",
    "run": "cluster.commands.examine:run",
    "matrix": "cluster.commands.matrix:matrix",
    "report": "cluster.commands.matrix:report",
    "recheck": "cluster.commands.examine:recheck",
    "replay": "cluster.commands.examine:replay",
    "list": "cluster.commands.examine:list_names",
    "check": "cluster.commands.check:check",
    "selfcheck": "cluster.selfcheck.command:selfcheck",
    "doctor": "cluster.commands.look:doctor",
    "edge": "cluster.commands.edge:edge",
    "demo": "cluster.demo.command:demo",
}


class Verbs(click.Group):
    """A group whose commands are imported by name, and whose every end is one of the contract's exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """The verbs, in the table's order."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        """Import one verb."""
        if cmd_name not in VERBS:
            return None
        module, _, attribute = VERBS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; a word that is no verb is answered with those that are."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            raise click.UsageError(f"no verb is called {args[0]!r}; there are {', '.join(VERBS)}", ctx) from None

    def main(  # type: ignore[override]  # click's takes more, for programs; nobody here passes it
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> None:
        """Run a command line and exit with its code."""
        extra.pop("standalone_mode", None)
        try:
            returned = super().main(args, prog_name, standalone_mode=False, **extra)
        except click.UsageError as error:
            error.show()
            sys.exit(USAGE)
        except click.ClickException as error:
            error.show()
            sys.exit(EXAMINER_FAILED)
        except ClusterError as error:
            click.echo(f"{prog_name or 'cluster'}: {error}", err=True)
            sys.exit(error.exit_code)
        except (click.Abort, KeyboardInterrupt):
            click.echo("interrupted", err=True)
            sys.exit(BROKEN)
        except BrokenPipeError:  # whoever read us (`| head`) has read enough
            sys.stderr.close()
            sys.exit(0)
        except Exception:  # noqa: BLE001  # the last resort: a mistake of ours is told apart from a broken contract
            import traceback

            traceback.print_exc()
            click.echo("the examiner itself failed; this is a mistake of ours", err=True)
            sys.exit(EXAMINER_FAILED)
        sys.exit(returned if isinstance(returned, int) else 0)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.option("--runs", metavar="DIR", help=f"Folder of the run folders (default: runs/ in the clone; or {VARIABLE}).")
@click.pass_context
def cluster(ctx: click.Context, runs: str | None) -> None:
    """Bring a cluster up, break it, look at it, mend it."""
    ctx.obj = runs_folder(runs)
