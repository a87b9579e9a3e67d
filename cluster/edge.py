"""Edge: renders what one cluster's nginx must know beyond the static rules in `nginx/`.

    nginx/nginx.conf, edge.conf, cache/, nodes/ ──copy──▶ prefix/
    listen, nodes, secret, control ─────────────render──▶ prefix/cluster.conf      upstream, secret, log, servers
    started as root? njs in a file of its own? ─render──▶ prefix/modules-enabled/  `user root;`, `load_module …;`

The static files never learn an address; the generated one never holds a rule about HTTP. What always holds: a prefix
can be written again over itself, and it is private to its owner, for it holds the cluster's secret.
`nginx/compose/cluster.conf` is this module's output too, for the default cluster under Docker.

Where the strategy numbers its invalidations, the edge hears them: its agent speaks to it through a socket in the
prefix's private folder `control/`, and the address of that is relative to the folder which nginx is started in,
because an address of a socket has at most 107 bytes and run folders lie deep.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

RULES = Path(__file__).resolve().parent.parent / "nginx"
STATIC = ("nginx.conf", "edge.conf", "control.conf")
CONTROL = Path("control") / "socket"
# Where the official nginx image keeps njs; a build that has it compiled in has no such file, and needs no line.
NJS_MODULE = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")

# A node that failed once is left out for so long by both nginx workers, then one request tries it.
LEFT_OUT_S = 2
# Less than the 75 s for which a node keeps an idle connection: the edge closes first, and no read meets a dying one.
IDLE_S = 60

_ADDRESS = re.compile(r"[A-Za-z0-9_.\-\[\]:]+:\d{1,5}")
_SECRET = re.compile(r"[A-Za-z0-9_\-]{8,}")


def write_prefix(
    prefix: Path, *, listen: str, nodes: Sequence[str], secret: str, as_root: bool, hears: bool = False
) -> Path:
    """Make `prefix` the folder that `nginx -p prefix -c nginx.conf` runs in and from; return its nginx.conf.

    `hears`: an agent will tell it of invalidations, through `prefix / CONTROL`. `listen` and each of `nodes` are
    `host:port`; `secret` is what the edge shows the nodes in `Tocsin-Edge`, and its agent shows the edge. `as_root`
    says who will start nginx: as root its workers would become `nobody`, who can't enter a private folder, so every
    cached answer would be a 500; as anybody else, `user` is not allowed. Raises OSError.
    """
    assert _SECRET.fullmatch(secret), "secrets are URL-safe base64, which needs no quoting in a configuration"
    prefix.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in ("modules-enabled", "run", "logs", CONTROL.parent):
        (prefix / folder).mkdir(mode=0o700, exist_ok=True)
    for name in STATIC:
        shutil.copyfile(RULES / name, prefix / name)
    shutil.copytree(RULES / "cache", prefix / "cache", dirs_exist_ok=True)
    shutil.copytree(RULES / "nodes", prefix / "own", dirs_exist_ok=True)
    (prefix / CONTROL).unlink(missing_ok=True)  # an nginx that was killed has left it, and would find it in use
    (prefix / "modules-enabled" / "user.conf").write_text("user root;\n" if as_root else "", encoding="utf-8")
    (prefix / "modules-enabled" / "njs.conf").write_text(
        f"load_module {NJS_MODULE};\n" if NJS_MODULE.exists() else "", encoding="utf-8"
    )
    own_secret = f'default "{secret}";'
    text = render_cluster(
        listen=listen,
        servers=nodes,
        secret=own_secret,
        access_log="logs/access.log",
        resolver=None,
        control=str(CONTROL) if hears else None,
    )
    cluster = prefix / "cluster.conf"
    cluster.touch(mode=0o600)
    cluster.write_text(text, encoding="utf-8")
    return prefix / "nginx.conf"


def render_cluster(
    *,
    listen: str,
    servers: Sequence[str],
    secret: str,
    access_log: str,
    resolver: str | None,
    control: str | None,
) -> str:
    """The text of cluster.conf. `secret` is the line of a map that yields it: `default "…";`, or the include of one.

    `control` is the path of the socket through which the edge hears invalidations; None for one that hears nothing.

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
        'map "" $edge_upstream {',
        "    default http://nodes;",
        "}",
        "",
        *hearing_lines(secret=secret, control=control),
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


def hearing_lines(*, secret: str, control: str | None) -> list[str]:
    """What the rules in `nginx/cache/` must know of secrets and agents; the arguments are those of `render_cluster`."""
    return [
        'map "" $edge_secret {',
        f"    {secret}",
        "}",
        'map "" $edge_hears {',
        f'    default "{1 if control else ""}";',
        "}",
        *(["server {", f"    listen unix:{control};", "    include control.conf;", "}"] if control else []),
    ]


def agent_command(socket: Path, *, secret_file: Path, namespace: str, name: str) -> tuple[str, ...]:
    """How an edge's agent is started; REDIS_URL is in its environment."""
    edge = ("--edge", str(socket), "--secret-file", str(secret_file))
    return (sys.executable, "-m", "tocsin", "agent", *edge, "--node", name, "--namespace", namespace)
