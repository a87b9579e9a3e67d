"""The edge alone: a shared cache of RFC 9111 before any origin, without a cluster.

    client ──▶ nginx on `listen` ──▶ memory and a private folder, else ──▶ `origin`

    nginx/cache/ ─────copy──────▶ folder/cache/      the rules: nothing about an address
    listen, origin ──render─────▶ folder/nginx.conf  the addresses: nothing about HTTP

What always holds: nginx stays in the foreground as our child, ends when we end, and the folder, with all that was ever
stored, is gone afterwards.
"""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cluster.errors import ClusterError, WrongInputError
from cluster.until import until

RULES = Path(__file__).resolve().parent.parent / "nginx" / "cache"
STARTED_WITHIN_S = 10.0
ENDED_WITHIN_S = 10.0

# Where the official nginx image keeps njs; a build that has it compiled in has no such file, and needs no line.
NJS_MODULE = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")


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


def write_folder(folder: Path, *, listen: Place, origin: Origin, as_root: bool) -> None:
    """Make `folder` what `nginx -p folder -c nginx.conf` runs from. `as_root`: who will start it. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "run").mkdir(mode=0o700, exist_ok=True)
    shutil.copytree(RULES, folder / "cache", dirs_exist_ok=True)
    (folder / "nginx.conf").write_text(render(listen, origin, as_root=as_root), encoding="utf-8")


def render(listen: Place, origin: Origin, *, as_root: bool) -> str:
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
        "    server {",
        f"        listen {listen};",
        "        proxy_ssl_server_name on;",
        f"        proxy_ssl_name {origin.place.host};",
        "        include cache/asking.conf;",
        "        include cache/locations.conf;",
        "    }",
        "}",
    ]
    return "\n".join(lines) + "\n"


@contextlib.contextmanager
def running(nginx: Path, listen: Place, origin: Origin, *, as_root: bool) -> Iterator[subprocess.Popen[bytes]]:
    """The edge's nginx while the block runs, listening when it begins, its folder removed when it ends.

    Raises ClusterError when nginx ends at once (its own words are on stderr), NotInTimeError when it does not listen.
    """
    with tempfile.TemporaryDirectory(prefix="tocsin-edge-") as name:
        folder = Path(name)
        write_folder(folder, listen=listen, origin=origin, as_root=as_root)
        # A session of its own: Ctrl-C reaches us alone, and nginx ends once, by our hand.
        process = subprocess.Popen(
            [str(nginx), "-p", str(folder), "-e", "stderr", "-c", "nginx.conf"],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            until(_started(process, folder, listen), within_s=STARTED_WITHIN_S, waiting_for=f"nginx on {listen}")
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(timeout=ENDED_WITHIN_S)


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
