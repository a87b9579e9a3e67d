"""The edge alone: a shared cache of RFC 9111 before any origin, without a cluster.

    client ──▶ nginx on `listen` ──▶ memory and a private folder, else ──▶ `origin`

    nginx/cache/, alone/ ─────copy──▶ folder/            the rules: nothing about an address
    listen, origin ──────────render─▶ folder/nginx.conf  the addresses: nothing about HTTP
    backplane? ──────────────────────▶ python -m tocsin agent --edge folder/control/socket

With a backplane the edge hears of invalidations: an agent, a second child of ours, follows the log in Redis. Then what
an origin sends without a `Tocsin-Base` is not kept, because nothing proves it.

What always holds: nginx stays in the foreground as our child, ends when we end, and the folder, with all that was ever
stored, is gone afterwards.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cluster.edge import CONTROL, NJS_MODULE, RULES, agent_command, hearing_lines
from cluster.errors import ClusterError, WrongInputError
from cluster.until import until

STARTED_WITHIN_S = 10.0
ENDED_WITHIN_S = 10.0
LOOK_EVERY_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the edge listens: a host name or address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        """`host:port`, with brackets around an IPv6 address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The server whose answers are cached: `http` or `https`, host and port."""

    scheme: str
    place: Place


def parse_place(text: str) -> Place:
    """Read `host:port`. Raises WrongInputError."""
    url = urlsplit(f"//{text}")
    with contextlib.suppress(ValueError):  # a port that is no number, or none that exists
        if url.hostname and url.port and url.netloc == text and "@" not in text and _is_plain(url.hostname):
            return Place(host=url.hostname, port=url.port)
    raise WrongInputError(f"{text!r} is no address to listen on; write host:port, as in 127.0.0.1:8080")


def parse_origin(text: str) -> Origin:
    """Read `http://host[:port]` (or https). A path would change every URL on the way, so there is none.

    Raises WrongInputError.
    """
    url = urlsplit(text)
    with contextlib.suppress(ValueError):
        port = url.port or {"http": 80, "https": 443}.get(url.scheme)
        if (
            port
            and url.hostname
            and _is_plain(url.hostname)
            and url.path in ("", "/")
            and not (url.query or url.fragment)
        ):
            return Origin(scheme=url.scheme, place=Place(host=url.hostname, port=port))
    raise WrongInputError(f"{text!r} is no origin; write http://host:port, as in http://127.0.0.1:5000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backplane:
    """Where the edge hears of invalidations: the Redis and namespace of the services, and the secret shared with them.

    The secret lets the edge and the agent know each other, and sign the watermarks of sessions as the nodes do.
    """

    redis_url: str
    namespace: str
    secret: str


def write_folder(
    folder: Path, *, listen: Place, origin: Origin, as_root: bool, backplane: Backplane | None = None
) -> None:
    """Make `folder` what `nginx -p folder -c nginx.conf` runs in. `as_root`: who will start it. Raises OSError."""
    for private in (folder, folder / "run", folder / CONTROL.parent):
        private.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copytree(RULES / "cache", folder / "cache", dirs_exist_ok=True)
    shutil.copytree(RULES / "alone", folder / "own", dirs_exist_ok=True)
    shutil.copyfile(RULES / "control.conf", folder / "control.conf")
    configuration = folder / "nginx.conf"
    configuration.touch(mode=0o600)
    configuration.write_text(render(listen, origin, as_root=as_root, backplane=backplane), encoding="utf-8")


def render(listen: Place, origin: Origin, *, as_root: bool, backplane: Backplane | None = None) -> str:
    """The text of nginx.conf: everything that is not a rule of caching.

    Started as root, nginx would run its workers as `nobody`, who can't enter a private folder: hence `user root`.
    """
    lines = [
        *(["user root;"] if as_root else []),
        *([f"load_module {NJS_MODULE};"] if NJS_MODULE.exists() else []),
        "daemon off;",
        "worker_processes 2;",
        "worker_shutdown_timeout 5s;",
        "error_log stderr warn;",
        "pid run/nginx.pid;",
        "events { worker_connections 1024; }",
        "http {",
        *(f"    {kind}_temp_path run/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")),
        "    access_log off;",
        "    server_tokens off;",
        "    client_max_body_size 64m;",
        "    large_client_header_buffers 8 16k;",
        "    include cache/cache.conf;",
        "    upstream edge_origin {",
        f"        server {origin.place};",
        "        keepalive 32;",
        "    }",
        '    map "" $edge_upstream {',
        f"        default {origin.scheme}://edge_origin;",
        "    }",
        '    map "" $edge_connection { default ""; }',
        '    map "" $edge_apart { default ""; }',
        *(f"    {line}" for line in _hearing(backplane)),
        "    server {",
        f"        listen {listen};",
        "        proxy_ssl_server_name on;",
        f"        proxy_ssl_name {origin.place.host};",
        "        include cache/asking.conf;",
        *(["        proxy_set_header Tocsin-Edge $edge_secret;"] if backplane else []),
        '        proxy_set_header Tocsin-Secret "";',
        "        include cache/locations.conf;",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


def _hearing(backplane: Backplane | None) -> list[str]:
    if backplane is None:
        return hearing_lines(secret='default "";', control=None)  # noqa: S106  # there is none
    return hearing_lines(secret=f'default "{backplane.secret}";', control=str(CONTROL))


@contextlib.contextmanager
def running(
    nginx: Path, listen: Place, origin: Origin, *, as_root: bool, backplane: Backplane | None = None
) -> Iterator[dict[str, subprocess.Popen[bytes]]]:
    """The edge's servers while the block runs, by name, listening when it begins; their folder is gone when it ends.

    With a `backplane` its agent runs too. Raises ClusterError when nginx ends at once (its own words are on stderr),
    NotInTimeError when it does not listen.
    """
    with tempfile.TemporaryDirectory(prefix="tocsin-edge-") as name:
        folder = Path(name)
        write_folder(folder, listen=listen, origin=origin, as_root=as_root, backplane=backplane)
        # A session of its own: Ctrl-C reaches us alone, and nginx ends once, by our hand.
        process = subprocess.Popen(
            [str(nginx), "-p", str(folder), "-e", "stderr", "-c", "nginx.conf"],
            cwd=folder,  # the address of the agent's socket is relative
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        children = {"nginx": process}
        try:
            until(_started(process, folder, listen), within_s=STARTED_WITHIN_S, waiting_for=f"nginx on {listen}")
            if backplane is not None:
                children["the edge's agent"] = _start_agent(folder, backplane)
            yield children
        finally:
            # The agent first: it ends the lease, so that the strict writers need not wait for this edge.
            for child in reversed(children.values()):
                if child.poll() is None:
                    child.send_signal(signal.SIGTERM)
                child.wait(timeout=ENDED_WITHIN_S)


def wait_for_first(children: Mapping[str, subprocess.Popen[bytes]]) -> tuple[str, int]:
    """Wait until one of them ends; its name and exit code. Without an agent the edge would keep nothing any more."""
    while True:
        for name, child in children.items():
            with contextlib.suppress(subprocess.TimeoutExpired):
                return name, child.wait(timeout=LOOK_EVERY_S)


def _start_agent(folder: Path, backplane: Backplane) -> subprocess.Popen[bytes]:
    secret_file = folder / "secret"
    secret_file.touch(mode=0o600)
    secret_file.write_text(backplane.secret, encoding="ascii")
    return subprocess.Popen(
        agent_command(folder / CONTROL, secret_file=secret_file, namespace=backplane.namespace, name="edge"),
        env={**os.environ, "REDIS_URL": backplane.redis_url},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _started(process: subprocess.Popen[bytes], folder: Path, listen: Place) -> Callable[[], str | None]:
    def missing() -> str | None:
        if process.poll() is not None:
            raise ClusterError(f"nginx did not start on {listen}: it says why above; is the port taken?")
        # Not by connecting: where the port is taken, somebody else would answer.
        return None if (folder / "run" / "nginx.pid").exists() else "it has not written its pid yet"

    return missing


def _is_plain(host: str) -> bool:
    """Whether a host may be written into nginx.conf as it is."""
    return bool(host) and all(letter.isalnum() or letter in ".-:" for letter in host)
