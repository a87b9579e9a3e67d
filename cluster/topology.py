"""Topology: what cluster was asked for. Parsed and checked once; everything behind this sees a value that is right.

It is written into the run folder as `topology.json`, and a second `up` is compared with it.
Names of strategies, write paths and settings are those of `docs/contract.md` §5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from cluster.errors import ClusterError, WrongInputError

STRATEGIES = (
    "no-cache",
    "l2-only",
    "ttl",
    "pubsub",
    "pubsub-flush",
    "tracking",
    "versioned",
    "sequenced",
    "strict",
)
PEERS = ("flask-caching-simple", "flask-caching-redis", "cashews", "dogpile", "redis-py-tracking")
"""Other people's caches, by the name that stands for a strategy: the same shop on another library (contract §5)."""
LISTENING = ("pubsub", "pubsub-flush", "tracking", "sequenced", "strict", "cashews", "redis-py-tracking")
"""Strategies and peers whose nodes are told of invalidations by Redis: of the others no message can be lost."""
STRATEGY_DEFAULT = "sequenced"
NUMBERED = ("sequenced", "strict")  # those that number their invalidations, so that an edge can follow them
WRITE_PATHS = ("cache-aside", "write-through", "write-behind")
DATABASE_KINDS = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mariadb", "mariadb": "mariadb"}
DATABASE_PORTS = {"postgresql": 5432, "mariadb": 3306}
# What a person may set in the services' environment; the rest of contract §5 is the launcher's own business.
SETTINGS = (
    "CATALOG_LOG_FORMAT",
    "CATALOG_SERVER",
    "CATALOG_THREADS",
    "CATALOG_WORKER_CLASS",
    "TOCSIN_L1_MAX_BYTES",
    "TOCSIN_L1_TTL_S",
    "TOCSIN_L2_TTL_S",
)
NODES_MAX = 32
WORKERS_MAX = 16


class Topology(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cluster as asked for.

    `database_url` None: the launcher's own database (SQLite in the run folder; PostgreSQL under compose).
    `edge_port` None: 8080 if it is free, else another; 0: any free one; a number: that one or none.
    `direct`: no links, so no partitions. `failpoints`, `trace`: the services have theirs (contract §5, §9).
    `settings`: further environment of the services, sorted by name.
    """

    nodes: int = 3
    workers: int = 2
    strategy: str = STRATEGY_DEFAULT
    write_path: str = "cache-aside"
    launcher: str = "processes"
    database_url: str | None = None
    edge_port: int | None = None
    direct: bool = False
    failpoints: bool = False
    trace: bool = False
    settings: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        """Raise WrongInputError, naming the right values, for anything that no launcher could start."""
        _one_of("strategy", self.strategy, (*STRATEGIES, *PEERS))
        if self.peer:
            _one_of(f"write path of {self.strategy}", self.write_path, ("cache-aside",))
            _one_of(f"launcher of {self.strategy}", self.launcher, ("processes",))
        _one_of("write path", self.write_path, WRITE_PATHS)
        _within("nodes", self.nodes, NODES_MAX)
        _within("workers", self.workers, WORKERS_MAX)
        if self.edge_port:
            _within("port", self.edge_port, 65535)
        if self.database_url is not None:
            parse_database(self.database_url)
        for name, _ in self.settings:
            _one_of("setting", name, SETTINGS)

    @property
    def peer(self) -> str:
        """The other people's cache that it runs on, or ""."""
        return self.strategy if self.strategy in PEERS else ""

    @property
    def numbers(self) -> bool:
        """Whether the strategy numbers its invalidations: then the edge hears them, through an agent of its own."""
        return self.strategy in NUMBERED

    @property
    def database_kind(self) -> str:
        """sqlite, postgresql or mariadb; without a URL that of the launcher."""
        if self.database_url is None:
            return "postgresql" if self.launcher == "compose" else "sqlite"
        return parse_database(self.database_url).kind

    @property
    def node_names(self) -> tuple[str, ...]:
        """node-1, node-2, …"""
        return tuple(f"node-{number}" for number in range(1, self.nodes + 1))

    def worker_names(self, node: str) -> tuple[str, ...]:
        """node-1/worker-1, node-1/worker-2, …: exactly what `X-Worker` says."""
        return tuple(f"{node}/worker-{slot}" for slot in range(1, self.workers + 1))

    def differences(self, asked: Topology) -> tuple[str, ...]:
        """How `asked` differs from this one, one phrase per field: `strategy pubsub, not ttl`."""
        mine, other = msgspec.structs.asdict(self), msgspec.structs.asdict(asked)
        return tuple(
            f"{_words(name)} {_words(mine[name])}, not {_words(other[name])}"
            for name in mine
            if mine[name] != other[name]
        )


class Database(msgspec.Struct, frozen=True, kw_only=True):
    """A database address taken apart. `host` and `port` are None for SQLite, which is a file and has no network."""

    url: str
    kind: str
    host: str | None = None
    port: int | None = None

    def through(self, host: str, port: int) -> str:
        """The same URL with another host and port (ASCII URLs; user, password, path and query stay)."""
        parts = urlsplit(self.url)
        login = parts.netloc.rpartition("@")[0]
        return parts._replace(netloc=f"{login}@{host}:{port}" if login else f"{host}:{port}").geturl()

    @property
    def shown(self) -> str:
        """The URL without its password, for a terminal."""
        parts = urlsplit(self.url)
        return self.url.replace(f":{parts.password}@", ":…@") if parts.password else self.url


def parse_database(url: str) -> Database:
    """Take a `DATABASE_URL` (contract §5) apart. Raises WrongInputError that lists the forms which are understood."""
    forms = "sqlite:////absolute/path, postgresql://user@host/name, mysql://… or mariadb://…"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as problem:
        raise WrongInputError(f"DATABASE_URL {url!r} can't be read ({problem}); expected {forms}") from None
    kind = DATABASE_KINDS.get(parts.scheme.partition("+")[0])  # postgresql+psycopg names its driver too
    if kind is None:
        raise WrongInputError(f"DATABASE_URL {url!r} names no database that the catalogue knows; expected {forms}")
    if kind == "sqlite":
        if parts.netloc or not parts.path.startswith("//"):
            raise WrongInputError(f"DATABASE_URL {url!r}: SQLite needs an absolute path, sqlite:////absolute/path")
        return Database(url=url, kind=kind)
    if not parts.hostname:
        raise WrongInputError(f"DATABASE_URL {url!r} names no host; expected {forms}")
    return Database(url=url, kind=kind, host=parts.hostname, port=port or DATABASE_PORTS[kind])


def parse_settings(pairs: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """`NAME=VALUE` options as sorted pairs; the last of a name wins. Raises WrongInputError for a pair without `=`."""
    settings: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise WrongInputError(f"--set {pair!r}: expected NAME=VALUE with a name of {', '.join(SETTINGS)}")
        settings[name] = value
    return tuple(sorted(settings.items()))


def store(topology: Topology, path: Path) -> None:
    """Write `topology.json`."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(topology), indent=2) + b"\n")


def load(path: Path) -> Topology:
    """Read `topology.json` again. Raises ClusterError for a file that is not one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Topology)
    except (OSError, msgspec.DecodeError) as problem:
        raise ClusterError(f"{path} can't be read as a topology ({problem})") from None


def _one_of(what: str, value: str, right: Sequence[str]) -> None:
    if value not in right:
        raise WrongInputError(f"unknown {what} {value!r}; there are {', '.join(right)}")


def _within(what: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise WrongInputError(f"{what} {value} is out of range; 1 to {most}")


def _words(value: object) -> str:
    if isinstance(value, Mapping | tuple):
        return " ".join(f"{name}={each}" for name, each in value) or "none"
    return "default" if value is None else str(value).replace("_", " ")
