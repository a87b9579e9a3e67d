"""The control socket of the link process: JSON lines, one request and one reply each.

    {"do": "look", "secret": "…"}                                            -> {"links": […]}
    {"do": "change", "secret": "…", "names": ["node-1→redis"],
     "upstream": "blackhole", "downstream": null, "settings": {}}            -> {"links": […]}, as they are then
    anything wrong                                                           -> {"error": "one sentence"}

The socket lies in a folder that only its owner can enter, and the secret is checked too: a socket file's own mode is
no protection on every system.
"""

from __future__ import annotations

import hmac
import os
import socket
from pathlib import Path

import msgspec

from cluster.link.faults import Setting
from cluster.status import LinkState

SOCKET = "control.sock"
LINE_BYTES_MAX = 1 << 20


class Look(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="look"):
    """Ask what every link does."""

    secret: str


class Change(msgspec.Struct, frozen=True, kw_only=True, tag_field="do", tag="change"):
    """Put faults, by name, on links; null leaves a direction as it is, `pass` heals it. `settings` are the faults'."""

    secret: str
    names: tuple[str, ...]
    upstream: str | None = None
    downstream: str | None = None
    settings: dict[str, Setting] = {}


class Reply(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the links do after the request; or why it was not done."""

    links: tuple[LinkState, ...] = ()
    error: str | None = None


Request = Look | Change


def decode(line: bytes) -> Request:
    """A request line as a value. Raises msgspec.DecodeError."""
    request: Request = msgspec.json.decode(line, type=Look | Change)
    return request


def same_secret(given: str, secret: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(given.encode(), secret.encode())


def bind_here() -> socket.socket:
    """A listening control socket in the working directory, in place of one that a dead process left.

    By a relative path: a socket's address holds 107 bytes, and a run folder may lie deep.
    """
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    Path(SOCKET).unlink(missing_ok=True)
    listener.bind(SOCKET)
    listener.listen()
    return listener


def connect(folder: Path, timeout_s: float) -> socket.socket:
    """A connection to the control socket in a folder. Raises OSError.

    Through the folder's descriptor, since whoever calls this keeps its own working directory.
    """
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.settimeout(timeout_s)
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        client.connect(f"/proc/self/fd/{handle}/{SOCKET}")
    except BaseException:
        client.close()
        raise
    finally:
        os.close(handle)
    return client
