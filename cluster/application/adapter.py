"""Adapter: how an application is asked, as a frozen value from a TOML file. docs/your-application.md tells it by
example.

What always holds: an `Adapter` that exists can be used: addresses are absolute, every path names the item, a body that
is written holds the value, a version is found in both kinds of answer or in neither, and no key is unknown.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cluster.errors import WrongInputError

ITEM, VALUE = "{item}", "{value}"


class Asking(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of request. `version`: a JSON pointer (RFC 6901) to a number in the answer; "" where there is none."""

    path: str
    method: str = "GET"
    headers: dict[str, str] = {}
    body: str = ""
    version: str = ""


class Promised(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the application promises. `staleness_ms_max` None: nothing. At rest, all must agree within `settles_s`."""

    staleness_ms_max: float | None = None
    linearizable: bool = False
    monotonic_reads: bool = False
    read_your_writes: bool = False
    settles_s: float = 10.0


class Traffic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much is asked; see `cluster.workload.profile.Profile`."""

    duration_s: float = 12.0
    rate_per_s: float = 200.0
    write_share: float = 0.1
    worker_share: float = 0.5
    zipf_exponent: float = 1.0
    timeout_s: float = 5.0


class Command(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault of the user's own. Each command is a program with its arguments; no shell reads it.

    `evidence` is run while the fault is in force: its exit status 0 says that it took effect. Without one nobody knows,
    and the run is unknown. `heal` is run in the end, whatever happened.
    """

    name: str
    start: list[str]
    evidence: list[str] = []
    heal: list[str] = []
    at_s: float | None = None
    for_s: float | None = None
    within_s: float = 30.0


class Adapter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An application. `workers`: its copies by name, each of which can be asked by itself."""

    name: str
    front: str
    items: list[str]
    read: Asking
    write: Asking
    workers: dict[str, str] = {}
    contract: Promised = Promised()
    traffic: Traffic = Traffic()
    faults: list[Command] = []

    def __post_init__(self) -> None:
        """Raise WrongInputError, naming the key, for anything that could not be asked."""
        for where, url in (("front", self.front), *((f"workers.{name}", url) for name, url in self.workers.items())):
            if not _is_origin(url):
                raise WrongInputError(f"{where} is {url!r}; an address such as http://127.0.0.1:5000 is needed")
        if not self.items or len(set(self.items)) != len(self.items):
            raise WrongInputError("items: at least one name, and none twice")
        for where, asking in (("read", self.read), ("write", self.write)):
            if not asking.path.startswith("/") or ITEM not in asking.path:
                raise WrongInputError(f"{where}.path is {asking.path!r}; a path with {ITEM} in it is needed")
        if VALUE not in self.write.body + self.write.path:
            raise WrongInputError(f"write.body holds no {VALUE}: a reader could not tell which write it sees")
        if bool(self.read.version) != bool(self.write.version):
            raise WrongInputError("version: in read and in write, or in neither")
        if any(pointer and not pointer.startswith("/") for pointer in (self.read.version, self.write.version)):
            raise WrongInputError("version is a JSON pointer, such as /version or /data/revision")
        if any(not fault.start for fault in self.faults):
            raise WrongInputError("faults: `start` is a program with its arguments, as a list")

    @property
    def numbered(self) -> bool:
        """Whether its answers say a version."""
        return bool(self.read.version)


def _is_origin(url: str) -> bool:
    """Whether it is a scheme, a host and perhaps a port, and nothing more."""
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and parts.port != 0
            and not parts._replace(scheme="", netloc="").geturl()
        )
    except ValueError:
        return False


def load_adapter(path: Path) -> tuple[Adapter, str]:
    """The adapter in the file `path`, and its text. Raises WrongInputError that names the file and the key."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise WrongInputError(f"{path} can't be read ({problem})") from None
    return parse_adapter(text, source=str(path)), text


def parse_adapter(text: str, *, source: str) -> Adapter:
    """A document as an adapter. `source` is named in errors."""
    try:
        document: dict[str, Any] = tomllib.loads(text)
        return msgspec.convert(document, Adapter)
    except tomllib.TOMLDecodeError as problem:
        raise WrongInputError(f"{source} is no TOML: {problem}") from None
    except (msgspec.ValidationError, WrongInputError) as problem:
        raise WrongInputError(f"{source}: {problem}") from None
