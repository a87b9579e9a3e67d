"""`python -m tocsin agent` keeps a node's generation table, or with `--edge` an nginx's marks, true to the log.

Workers start that of their node by themselves, or a supervisor does; an edge's is started beside its nginx.
"""

import argparse
import os
import sys
from pathlib import Path

from tocsin.agent.cdn import keep_cdn, say
from tocsin.agent.edge import keep_edge
from tocsin.agent.process import Adapt, as_they_are, keep_table
from tocsin.cdn.dry_run import DryRun
from tocsin.cdn.settings import client_named
from tocsin.errors import SettingsError
from tocsin.generation_file import folder_for
from tocsin.settings import CacheSettings, Strategy


def main(words: list[str], *, adapt: Adapt = as_they_are) -> int:
    """Run the command line; return 0, or 1 with one sentence on stderr. `adapt` is for those who wrap it."""
    options = _parser().parse_args(words)
    try:
        settings = CacheSettings(
            redis_url=os.environ.get("REDIS_URL", ""),
            node=options.node,
            namespace=options.namespace,
            strategy=Strategy.named(options.strategy),
            lease_s=options.lease,
            beat_every_s=options.beat,
            canary_every_s=options.canary,
            canary_within_s=options.canary_within,
            outbox_url=os.environ.get("OUTBOX_URL", ""),
        )
        if options.cdn is not None:
            return _keep_cdn(settings, options)
        if options.edge is not None:
            folder = options.edge.parent
            kept = keep_edge(settings, options.edge, secret_file=options.secret_file)
        else:
            folder = options.folder or folder_for(settings.redis_url, settings.namespace, settings.node_name)
            kept = keep_table(settings, folder, lock=options.lock, stays=options.lock is None, adapt=adapt)
    except (SettingsError, OSError) as error:
        print(f"tocsin agent: {error}", file=sys.stderr)
        return 1
    if not kept:
        print(f"tocsin agent: {options.node} has an agent already; it holds {folder / 'agent'}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tocsin", description=__doc__)
    agent = parser.add_subparsers(required=True).add_parser(
        "agent",
        help="keep the table of one node, or an edge; Redis is that of REDIS_URL, the outbox, if any, of OUTBOX_URL",
    )
    agent.add_argument("--node", required=True, help="the node's name, as its workers say it before the first slash")
    agent.add_argument(
        "--edge",
        type=Path,
        metavar="SOCKET",
        help="keep the nginx with this control socket instead of a table",
    )
    agent.add_argument("--secret-file", type=Path, metavar="FILE", help="the secret of the edge")
    agent.add_argument("--cdn", metavar="NAME", help="purge a CDN instead: cloudflare, fastly or cloudfront")
    agent.add_argument("--state", type=Path, metavar="FILE", help="remembers how far the CDN is purged")
    agent.add_argument("--dry-run", action="store_true", help="say what would be purged, and purge nothing")
    agent.add_argument("--namespace", default="cache")
    agent.add_argument("--strategy", default=Strategy.SEQUENCED.value, choices=("sequenced", "strict"))
    agent.add_argument("--folder", type=Path, help="where the table is (default: the one that the workers use)")
    agent.add_argument("--lease", type=float, default=1.0, metavar="SECONDS")
    agent.add_argument("--beat", type=float, default=0.2, metavar="SECONDS")
    agent.add_argument("--canary", type=float, default=1.0, metavar="SECONDS")
    agent.add_argument("--canary-within", type=float, default=3.0, metavar="SECONDS")
    agent.add_argument("--lock", type=int, help=argparse.SUPPRESS)
    return parser


def _keep_cdn(settings: CacheSettings, options: argparse.Namespace) -> int:
    client = client_named(options.cdn, os.environ)
    if options.state is None:
        raise SettingsError("--cdn needs --state: a file that remembers how far the CDN is purged")
    keep_cdn(settings, DryRun(client, say) if options.dry_run else client, options.state)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
