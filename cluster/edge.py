"""Edge: renders what one cluster's nginx must know beyond the static rules in `nginx/`.

    nginx/nginx.conf, edge.conf ──copy──▶ prefix/
    listen, nodes, secret ──────render──▶ prefix/cluster.conf      upstream, secret, log, server
    started as root? ───────────render──▶ prefix/modules-enabled/  `user root;`, else nothing

The static files never learn an address; the generated one never holds a rule about HTTP. What always holds: a prefix
can be written again over itself, and it is private to its owner, for it holds the cluster's secret.
`nginx/compose/cluster.conf` is this module's output too, for the default cluster under Docker.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

RULES = Path(__file__).resolve().parent.parent / "nginx"
STATIC = ("nginx.conf", "edge.conf")

# A node that failed once is left out for so long by both nginx workers, then one request tries it.
LEFT_OUT_S = 2
# Less than the 75 s for which a node keeps an idle connection: the edge closes first, and no read meets a dying one.
IDLE_S = 60

_ADDRESS = re.compile(r"[A-Za-z0-9_.\-\[\]:]+:\d{1,5}")
_SECRET = re.compile(r"[A-Za-z0-9_\-]{8,}")


def write_prefix(prefix: Path, *, listen: str, nodes: Sequence[str], secret: str, as_root: bool) -> Path:
    """Make `prefix` the folder that `nginx -p prefix -c nginx.conf` runs from, and return its nginx.conf.

    `listen` and each of `nodes` are `host:port`; `secret` is what the edge shows the nodes in `Tocsin-Edge`.
    `as_root` says who will start nginx: as root its workers would become `nobody`, who can't enter a private folder, so
    every cached answer would be a 500; as anybody else, `user` is not allowed. Raises OSError.
    """
    assert _SECRET.fullmatch(secret), "secrets are URL-safe base64, which needs no quoting in a configuration"
    prefix.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in ("modules-enabled", "run", "logs"):
        (prefix / folder).mkdir(mode=0o700, exist_ok=True)
    for name in STATIC:
        shutil.copyfile(RULES / name, prefix / name)
    (prefix / "modules-enabled" / "user.conf").write_text("user root;\n" if as_root else "", encoding="utf-8")
    own_secret = f'default "{secret}";'
    text = render_cluster(listen=listen, servers=nodes, secret=own_secret, access_log="logs/access.log", resolver=None)
    cluster = prefix / "cluster.conf"
    cluster.touch(mode=0o600)
    cluster.write_text(text, encoding="utf-8")
    return prefix / "nginx.conf"


def render_cluster(*, listen: str, servers: Sequence[str], secret: str, access_log: str, resolver: str | None) -> str:
    """The text of cluster.conf. `secret` is the line of a map that yields it: `default "…";`, or the include of one.

    With a `resolver` (`address parameters`) the servers are names, asked for again all the time, because a container
    that comes back may have another address; a name that is unknown now is a server that is away.
    """
    assert servers, "an edge without a node can answer nothing"
    for address in (listen, *servers):
        assert _ADDRESS.fullmatch(address), f"{address!r} is no host:port"
    resolve = " resolve" if resolver else ""
    lines = [
        "# Written by cluster/edge.py: the addresses of one cluster, for the rules in nginx.conf and edge.conf.",
        *([f"resolver {resolver};", "resolver_timeout 1s;"] if resolver else []),
        "",
        "upstream nodes {",
        "    zone nodes 128k;",
        *(f"    server {server} max_fails=1 fail_timeout={LEFT_OUT_S}s{resolve};" for server in servers),
        "    # When all of them are left out, better ask one that may be well again than none.",
        *(f"    server {server} backup max_fails=0{resolve};" for server in servers),
        "    keepalive 16 local;",
        f"    keepalive_timeout {IDLE_S}s;",
        "}",
        "",
        'map "" $edge_secret {',
        f"    {secret}",
        "}",
        "",
        f"access_log {access_log} edge;",
        "",
        "server {",
        f"    listen {listen};",
        "    include edge.conf;",
        "}",
        "",
    ]
    return "\n".join(lines)
