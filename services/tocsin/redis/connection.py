"""Connection: the one way to Redis, with every timeout said aloud.

    adapter ── run(script, …) ──▶ breaker ──▶ a line ──▶ EVALSHA ──▶ Redis

What always holds:

- Nothing is opened before the first request, and a process opens its own: a forked child starts without any
  (hazard 34), made after gevent had its chance to patch sockets and locks.
- A request waits for a free connection, for a connect and for an answer, each for a stated time, and is sent once.
  redis-py by itself retries ten times, which turns half a second of silence into nine; it opens the connections here,
  and `tocsin.redis.line` speaks on them.
- RESP2, no CLIENT SETINFO: a new connection costs no round trip, so a Redis that accepts and never answers costs one
  timeout and not four.
- Whatever goes wrong leaves here as `Unavailable`, which says whether the request may have happened.
"""

import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import Any

from redis import BlockingConnectionPool, ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from tocsin.breaker import Breaker
from tocsin.clock import Clock
from tocsin.errors import Happened, Unavailable
from tocsin.redis.line import Line, Lines, Words
from tocsin.settings import CacheSettings


class Script:
    """A Lua script of the package `tocsin.redis.scripts`, made of several files; Redis keeps it under its SHA-1."""

    def __init__(self, *names: str) -> None:
        folder = files("tocsin.redis") / "scripts"
        self.name = names[-1]
        self.text = "\n".join((folder / f"{name}.lua").read_text(encoding="utf-8") for name in names)
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


class RedisConnection:
    """Requests to one Redis, for one process at a time."""

    def __init__(self, settings: CacheSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self.prefix = f"tocsin:{{{settings.namespace}}}:"
        self._breaker = Breaker(retry_after_s=settings.retry_after_s, clock=clock)
        self._lines: Lines | None = None
        self._lock = clock.lock()

    def renew(self) -> None:
        """Begin anew in the child of a fork; the parent's sockets are only closed here, never shut down."""
        self._lock = self._clock.lock()
        self._breaker.renew()
        self._lines = None

    def close(self) -> None:
        """Close this process's connections; the next request opens new ones."""
        with self._lock:
            lines, self._lines = self._lines, None
        if lines is not None:
            lines.close()

    def client(self, protocol: int = 2) -> "Redis":
        """Return a redis-py client with connections of its own, for a listener that keeps one for long."""
        pool = BlockingConnectionPool.from_url(
            self._settings.redis_url,
            max_connections=2,
            timeout=self._settings.socket_timeout_s,
            **self._options(protocol),
        )
        return Redis(connection_pool=pool)

    def line(self) -> Line:
        """Return a line of its own, for a listener that keeps one for long; raises redis-py's errors, and `OSError`."""
        return self._connect()()

    def run(self, script: Script, *arguments: str | int | bytes) -> Any:
        """Run a script with the prefix as its key, and return the reply in redis-py's terms.

        Raises `Unavailable`. The prefix routes the script to the slot of all keys of the namespace on Redis Cluster,
        and from it the script builds their names.
        """
        try:
            return self.request("EVALSHA", script.sha, 1, self.prefix, *arguments)
        except NoScriptError:
            try:  # a Redis that has restarted, or was flushed, has forgotten its scripts
                return self.request("EVAL", script.text, 1, self.prefix, *arguments)
            except ResponseError as error:
                raise self._refused(script.name, error) from error
        except ResponseError as error:
            raise self._refused(script.name, error) from error

    def command(self, *words: str | int | bytes) -> Any:
        """Run one command; raises `Unavailable`."""
        try:
            return self.request(*words)
        except ResponseError as error:
            raise self._refused(str(words[0]), error) from error

    def request(self, *words: str | int | bytes) -> Any:
        """Send one command once, and return its reply. Raises `Unavailable`, or `ResponseError` as Redis said it."""
        (reply,) = self.requests(words)
        if isinstance(reply, ResponseError):
            raise reply
        return reply

    def requests(self, *requests: Words) -> list[Any]:
        """Send commands once, in one round trip, and return their replies; a `ResponseError` is one of them.

        Raises `Unavailable`: none of them, some or all may have been done then.
        """
        if not self._breaker.allows():
            raise Unavailable(
                f"Redis at {self._where()} failed within the last {self._settings.retry_after_s} s and is left alone",
                detail="redis-unreachable",
                happened=Happened.NO,
            )
        lines = self._open()
        try:
            line = lines.take()
        except (RedisError, OSError) as error:
            raise self._unreachable(error, Happened.NO) from error
        try:
            replies = line.ask(*requests)
            for reply in replies:
                if isinstance(reply, RedisError) and not isinstance(reply, ResponseError):
                    raise reply  # such as LOADING: it is there, and can't answer
        except (RedisError, OSError) as error:
            lines.lose(line)
            raise self._unreachable(error, Happened.UNKNOWN) from error
        except BaseException:
            lines.lose(line)
            raise
        lines.give_back(line)
        self._breaker.succeeded()
        return replies

    def _open(self) -> Lines:
        lines = self._lines
        if lines is None:
            with self._lock:
                # Two threads may come here at once; second lines would let twice as many connections be opened.
                lines = self._lines = self._lines or self._new_lines()
        return lines

    def _new_lines(self) -> Lines:
        settings = self._settings
        return Lines(self._connect(), lines_max=settings.redis_connections_max, timeout_s=settings.socket_timeout_s)

    def _connect(self) -> Callable[[], Line]:
        timeout_s = self._settings.socket_timeout_s
        pool = ConnectionPool.from_url(self._settings.redis_url, **self._options())
        return lambda: Line(pool.connection_class(**pool.connection_kwargs), timeout_s=timeout_s)

    def _options(self, protocol: int = 2) -> dict[str, Any]:
        """Return how redis-py is to open a connection: once, in time, and without a word that nobody asked for."""
        return {
            "socket_connect_timeout": self._settings.connect_timeout_s,
            "socket_timeout": self._settings.socket_timeout_s,
            "retry": Retry(NoBackoff(), 0),
            "health_check_interval": 0,
            "protocol": protocol,
            "maint_notifications_config": MaintNotificationsConfig(enabled=False),
            "driver_info": None,
        }

    def _unreachable(self, error: Exception, happened: Happened) -> Unavailable:
        self._breaker.failed()
        return Unavailable(
            f"Redis at {self._where()} did not answer: {error}", detail="redis-unreachable", happened=happened
        )

    def _refused(self, what: str, error: ResponseError) -> Unavailable:
        return Unavailable(
            f"Redis at {self._where()} refused {what}: {error}", detail="redis-refused", happened=Happened.UNKNOWN
        )

    def _where(self) -> str:
        return self._settings.redis_url.rpartition("@")[2]
