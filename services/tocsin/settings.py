"""Settings: everything that is configured once, as one frozen value.

What always holds: a `CacheSettings` that exists is usable. Unknown names and contradictions are refused when it is
made, with an error that names what would be right; nothing later asks again.
"""

import enum
import math
import re
from urllib.parse import urlsplit

from msgspec import Struct

from tocsin.errors import SettingsError
from tocsin.stampede import Stampede

_NAMESPACE = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_SCHEMES = ("redis", "rediss", "unix")
OUTBOX_SCHEMES = {"sqlite": "sqlite", "postgresql": "postgresql", "mysql": "mariadb", "mariadb": "mariadb"}
"""The databases that can hold an outbox, by the scheme of its URL, which may name a driver after a `+`."""


class Strategy(enum.Enum):
    """How the local caches of several workers are kept true; each is documented in `tocsin.assembly`."""

    NO_CACHE = "no-cache"
    L2_ONLY = "l2-only"
    TTL = "ttl"
    PUBSUB = "pubsub"
    PUBSUB_FLUSH = "pubsub-flush"
    TRACKING = "tracking"
    VERSIONED = "versioned"
    SEQUENCED = "sequenced"
    STRICT = "strict"

    @property
    def is_sequenced(self) -> bool:
        """Whether writes get numbers, and a node's table proves its L1."""
        return self in (Strategy.SEQUENCED, Strategy.STRICT)

    @property
    def tells(self) -> bool:
        """Whether a finish publishes its names to the listeners of the workers."""
        return self in (Strategy.PUBSUB, Strategy.PUBSUB_FLUSH)

    @property
    def listens(self) -> bool:
        """Whether each worker has a listener, which drops what it hears from the worker's L1."""
        return self.tells or self is Strategy.TRACKING

    @classmethod
    def named(cls, word: str) -> "Strategy":
        """Return the strategy called `word`; raise `SettingsError` with the right words if there is none."""
        return cls(_known(word, [member.value for member in cls], "strategy"))


_EARLY = (Stampede.XFETCH, Stampede.REFRESH_AHEAD)
_IN_PROCESS = (Stampede.NONE, Stampede.SINGLE_FLIGHT)


def _protections(strategy: Strategy) -> tuple[Stampede, ...]:
    """Return the protections that a strategy can have, its default first."""
    match strategy:
        case Strategy.NO_CACHE:
            return (Stampede.NONE,)
        case Strategy.STRICT:
            return (Stampede.FILL_TOKEN, *_IN_PROCESS)
        case Strategy.SEQUENCED:
            return (Stampede.REFRESH_AHEAD, Stampede.XFETCH, Stampede.FILL_TOKEN, *_IN_PROCESS)
        case _:
            return (Stampede.SINGLE_FLIGHT, Stampede.NONE, Stampede.REDIS_LOCK, *_EARLY)


class WritePath(enum.Enum):
    """What a write does to the cache, beyond invalidating."""

    CACHE_ASIDE = "cache-aside"
    WRITE_THROUGH = "write-through"
    WRITE_BEHIND = "write-behind"

    @classmethod
    def named(cls, word: str) -> "WritePath":
        """Return the write path called `word`; raise `SettingsError` with the right words if there is none."""
        return cls(_known(word, [member.value for member in cls], "write path"))


class Agent(enum.Enum):
    """Who keeps the generation table of a sequenced strategy."""

    PROCESS = "process"  # one process per node, for all its workers; any worker starts it
    THREAD = "thread"  # a thread in each worker, and a table of its own


class CacheSettings(Struct, frozen=True, kw_only=True):
    """The configuration of one cache; times are in seconds. Raises `SettingsError` for what can't be meant.

    `namespace` separates caches that share a Redis; it is the hash tag of all their keys. `node` names this process in
    logs and messages. `l1_max_bytes` bounds one worker's L1. `join_within_s` bounds the wait for another thread's
    load. A Redis that fails a request is left alone for `retry_after_s`, then tried by one request. `canary_every_s`
    is the rhythm of the listener's self-test; a canary (`tracking`: a ping) not answered within `canary_within_s` means
    that it is deaf; `pubsub-flush` and `tracking` use no L1 then.

    `stampede` keeps many readers of one key from loading it all at once (`tocsin.stampede`); None is the strategy's:
    `refresh-ahead` for `sequenced`, `fill-token` for `strict`, none for `no-cache`, `single-flight` for the others. A
    lock lasts `lock_s` at most. Refreshes run on their reader's thread, or on `refresh_threads` of the library's if
    that is not 0; loaders must then bear being called there (`Policy.thread_bound`). A process has at most `loads_max`
    loads of one source under way, for a place among which a reader waits at most `load_wait_s`; after
    `load_failures_max` failures in a row a source is left alone for `load_retry_after_s` (`tocsin.loading`).

    The sequenced strategies: a node serves from L1 for at most `lease_s` after it last proved that it heard everything,
    and tries that every `beat_every_s`; a writer has `writer_s` from its announcement to its commit. `agent` keeps the
    node's table; the workers of a node are those whose names agree up to the first slash. `table_dir` is the folder
    of the tables; '' stands for one in memory, of this user's own. `outbox_url` is the database whose table `outbox`
    the agents relay (see `tocsin.outbox.table`); '' stands for none. `agent_module` is what is run as an agent.
    """

    redis_url: str
    node: str
    strategy: Strategy = Strategy.SEQUENCED
    write_path: WritePath = WritePath.CACHE_ASIDE
    namespace: str = "cache"
    l1_ttl_s: float = 2.0
    l2_ttl_s: float = 30.0
    l1_max_bytes: int = 32 << 20
    join_within_s: float = 2.0
    stampede: Stampede | None = None
    lock_s: float = 3.0
    refresh_threads: int = 0
    loads_max: int = 64
    load_wait_s: float = 1.0
    load_failures_max: int = 5
    load_retry_after_s: float = 1.0
    connect_timeout_s: float = 0.25
    socket_timeout_s: float = 0.25
    retry_after_s: float = 0.5
    redis_connections_max: int = 64
    canary_every_s: float = 1.0
    canary_within_s: float = 3.0
    lease_s: float = 1.0
    beat_every_s: float = 0.2
    writer_s: float = 3.0
    agent: Agent = Agent.PROCESS
    table_dir: str = ""
    agent_module: str = "tocsin"
    outbox_url: str = ""

    def __post_init__(self) -> None:
        if not _NAMESPACE.fullmatch(self.namespace):
            raise SettingsError(
                f"namespace {self.namespace!r}: a hash tag of 1 to 64 letters, digits, '_', '-' or '.' is needed"
            )
        if urlsplit(self.redis_url).scheme not in _SCHEMES:
            # The URL itself is not shown: it may hold a password.
            raise SettingsError(
                f"redis_url begins with {urlsplit(self.redis_url).scheme!r}: a URL such as redis://127.0.0.1:6379/0,"
                " rediss://… or unix://… is needed"
            )
        if self.outbox_url and urlsplit(self.outbox_url).scheme.partition("+")[0] not in OUTBOX_SCHEMES:
            raise SettingsError(
                f"outbox_url begins with {urlsplit(self.outbox_url).scheme!r}: a URL such as"
                " sqlite:////folder/file.db, postgresql://… or mariadb://… is needed"
            )
        if not self.node:
            raise SettingsError("node is empty: a name for this process is needed, such as node-1/worker-1")
        for name in self.__struct_fields__:
            number = getattr(self, name)
            least = 0 if name == "refresh_threads" else None
            if isinstance(number, int | float) and number != least and not 0 < number < math.inf:
                raise SettingsError(f"{name} is {number!r}: a number above 0 is needed")
        if self.beat_every_s >= self.lease_s:
            raise SettingsError(
                f"beat_every_s is {self.beat_every_s} and lease_s {self.lease_s}: a lease must outlast several beats"
            )
        if self.strategy is Strategy.NO_CACHE and self.write_path is not WritePath.CACHE_ASIDE:
            raise SettingsError(
                f"write path {self.write_path.value!r} keeps values in the cache, and strategy 'no-cache' keeps none:"
                " choose 'cache-aside', or another strategy"
            )

        if self.stampede is not None and self.stampede not in _protections(self.strategy):
            raise SettingsError(
                f"strategy {self.strategy.value!r} has no stampede protection {self.stampede.value!r}: it is one of"
                f" {', '.join(each.value for each in _protections(self.strategy))}"
            )

    @property
    def protection(self) -> Stampede:
        """The stampede protection: the chosen one, else the strategy's own."""
        return self.stampede or _protections(self.strategy)[0]

    @property
    def node_name(self) -> str:
        """The name of the node, which all its workers share: `node-1` of `node-1/worker-1`."""
        return self.node.partition("/")[0]


def _known(word: str, words: list[str], what: str) -> str:
    if word not in words:
        raise SettingsError(f"unknown {what} {word!r}: it is one of {', '.join(words)}")
    return word
