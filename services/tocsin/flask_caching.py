"""Flask-Caching on Tocsin: a backend that gives an application its decorators unchanged, now coherent across workers.

    CACHE_TYPE = "tocsin.flask_caching.TocsinCache"

    @cache.cached, @cache.memoize, cache.get … ──▶ this backend ──▶ `tocsin.values`: L1, L2, shelf in Redis

It behaves as Flask-Caching's own backends do, method by method; where those differ from each other it goes with
`RedisCache`, whose place it takes, and docs/flask.md lists what was decided. Settings are `CACHE_TOCSIN_*`, one for
each field of `CacheSettings`, or the same names in lower case in `CACHE_OPTIONS`; the `CACHE_REDIS_*` settings of
RedisCache are understood. The strategy is `sequenced` unless set.

What always holds:

- Values travel by the default codec, which executes nothing. `CACHE_TOCSIN_SIGNING_KEYS` chooses the signed pickle.
- In one request, a set that follows a get which found nothing is refused if another worker deleted the key meanwhile:
  so the value that `@cached` or `@memoize` computed before a deletion does not come back after it.
- The backend starts itself in each process that uses it, so it may be made before a fork.
"""

import datetime
import logging
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from flask import Flask, Response
from flask_caching import CachedResponse
from flask_caching.backends.base import BaseCache

from tocsin.assembly import connect
from tocsin.clock import SystemClock
from tocsin.codec import Form, MsgspecCodec, ValueCodec
from tocsin.configuration import cache_settings, under_prefix
from tocsin.errors import SettingsError, Unavailable
from tocsin.redis.connection import RedisConnection
from tocsin.redis.values import RedisShelf
from tocsin.request_memory import forget, recall, remember
from tocsin.responses import SetsCookie, pack_response, response_forms, unpack_response
from tocsin.settings import CacheSettings
from tocsin.signed_pickle import SignedPickleCodec
from tocsin.starting import SelfStarting
from tocsin.values import Absent, Values

logger = logging.getLogger(__name__)

PREFIX = "CACHE_TOCSIN_"
_OWN_SETTINGS = ("signing_keys",)
_FLASK_CACHING_S_OWN = ("default_timeout", "ignore_delete_many_errors", "key_prefix")
_OVER = -math.inf
_LIFE_MAX_S = 100 * 365 * 24 * 3600  # Redis counts milliseconds in 64 bits

Timeout = int | datetime.timedelta | None
_Answer = TypeVar("_Answer")


class TocsinCache(BaseCache):
    """The backend; Flask-Caching makes it through `factory`. What is no text becomes its text when it is used as a key.

    Values without a timeout of their own live for `default_timeout` seconds. While Redis can't be reached, what needs
    it raises `tocsin.Unavailable`, which Flask-Caching's decorators log before they call the function. With
    `ignore_errors` it answers as if nothing were cached: None, False, nothing set, nothing deleted.
    """

    def __init__(
        self,
        settings: CacheSettings,
        *,
        key_prefix: str | Callable[[], str] = "",
        codec: ValueCodec | None = None,
        default_timeout: int = 300,
        ignore_errors: bool = False,
    ) -> None:
        super().__init__(default_timeout, ignore_delete_many_errors=ignore_errors)
        self.settings = settings
        self.key_prefix = key_prefix
        self._codec = codec or MsgspecCodec(forms())
        self._clock = SystemClock()
        self._cache = connect(settings)
        self._connection = RedisConnection(settings, self._clock)
        self._starting = SelfStarting(self._cache)
        self._by_prefix: dict[str, Values] = {}

    @classmethod
    def factory(cls, app: Flask, config: dict[str, Any], args: list[Any], kwargs: dict[str, Any]) -> "TocsinCache":
        """Return the backend that an application's configuration describes; raises `SettingsError`."""
        options = {name: value for name, value in kwargs.items() if name not in _FLASK_CACHING_S_OWN}
        fallbacks = {"namespace": "flask-caching", "redis_url": _redis_url(config), "strategy": "sequenced"}
        chosen = {**fallbacks, **under_prefix(config, PREFIX), **options}
        keys = chosen.get("signing_keys")
        if args:
            raise SettingsError(f"CACHE_ARGS is {args!r}: TocsinCache takes settings by name, in CACHE_OPTIONS")
        return cls(
            cache_settings(chosen, prefix=PREFIX, besides=_OWN_SETTINGS),
            key_prefix=kwargs.get("key_prefix") or config.get("CACHE_KEY_PREFIX") or "",
            codec=MsgspecCodec(forms(app.response_class)) if keys is None else SignedPickleCodec(keys),
            default_timeout=kwargs["default_timeout"],
            ignore_errors=kwargs["ignore_delete_many_errors"],
        )

    def get(self, key: str) -> Any:
        """Return the value of `key`, or None."""
        values, key = self._values(), str(key)
        try:
            seen = values.look(key)
        except Unavailable:
            return self._ignored(None)
        remember(values, key, seen)
        found = values.unpack(seen)
        return None if isinstance(found, Absent) else found

    def has(self, key: str) -> bool:
        """Return whether there is a value, which may be None."""
        try:
            return not isinstance(self._values().get(str(key)), Absent)
        except Unavailable:
            return self._ignored(False)

    def set(self, key: str, value: Any, timeout: Timeout = None) -> bool:
        """Set a value; return False if it may not be stored, or came too late. Raises `codec.Unstorable`."""
        return self.set_many({str(key): value}, timeout) == [str(key)]

    def set_many(self, mapping: Mapping[str, Any], timeout: Timeout = None) -> list[str]:
        """Set several values in one step; return the keys of those that were set."""
        values = self._values()
        texts = {str(key): value for key, value in mapping.items()}
        after = recall(values, texts)
        life_s = self._life_s(timeout)
        try:
            if life_s is _OVER:
                values.delete_many(list(texts))
                return list(mapping)
            done = set(values.set_many(texts, life_s, after=after))
        except SetsCookie as error:
            logger.warning("%s not cached: %s", ", ".join(texts), error)
            return []
        except Unavailable:
            return self._ignored([])
        return [key for key in mapping if str(key) in done]

    def add(self, key: str, value: Any, timeout: Timeout = None) -> bool:
        """Set a value if there is none; of several workers at once, one gets True."""
        values, key = self._values(), str(key)
        life_s = self._life_s(timeout)
        recall(values, [key])
        try:
            return not self.has(key) if life_s is _OVER else values.add(key, value, life_s)
        except Unavailable:
            return self._ignored(False)

    def delete(self, key: str) -> bool:
        """Remove a value; return whether there was one."""
        values, key = self._values(), str(key)
        recall(values, [key])
        try:
            return values.delete(key)
        except Unavailable:
            return self._ignored(False)

    def delete_many(self, *keys: str) -> list[str]:
        """Remove several values in one step; return the keys that are not there any more.

        Raises `RuntimeError` if Redis can't be reached, unless errors are ignored.
        """
        values, names = self._values(), list(map(str, keys))
        recall(values, names)
        try:
            values.delete_many(names)
        except Unavailable as error:
            if not self.ignore_delete_many_errors:
                raise RuntimeError(f"Failed to delete keys: {list(keys)}") from error
            return []
        return list(keys)

    def unlink(self, *keys: str) -> int | None:
        """Remove several values; return how many were there. RedisCache has it too, other backends have not."""
        if not keys:
            return None
        values, names = self._values(), list(map(str, keys))
        recall(values, names)
        try:
            return sum(values.delete_many(names))
        except Unavailable:
            return self._ignored(0)

    def clear(self) -> bool:
        """Remove all values with this backend's key prefix, at once; return whether it was done."""
        values = self._values()
        forget(values)
        try:
            values.clear()
        except Unavailable:
            return self._ignored(False)
        return True

    def inc(self, key: str, delta: int = 1) -> int | None:
        """Add to a whole number and return it; atomic across all workers. A new one gets the default timeout.

        Raises `TypeError` if there is another kind of value.
        """
        values, key = self._values(), str(key)
        recall(values, [key])
        life_s = self._life_s(None)
        try:
            return values.count(key, delta, None if life_s is _OVER else life_s)
        except Unavailable:
            return self._ignored(None)

    def dec(self, key: str, delta: int = 1) -> int | None:
        """Subtract from a whole number and return it, as `inc` does."""
        return self.inc(key, -delta)

    def hears(self) -> bool:
        """Return whether this process hears what other workers change; it says so a moment after its first use."""
        return self._starting.started().hearing().hears

    def close(self) -> None:
        """End this process's listener and connections; the next use begins anew."""
        self._starting.stop()
        self._connection.close()

    def _values(self) -> Values:
        """Return the values under the key prefix of this moment, which may be a function."""
        prefix = self.key_prefix if isinstance(self.key_prefix, str) else self.key_prefix()
        values = self._by_prefix.get(prefix)
        if values is None:
            shelf = RedisShelf(self._connection, prefix, clock=self._clock)
            # Two threads may come here at once; what a request remembers belongs to one of the two for good.
            new = Values(cache=self._cache, shelf=shelf, codec=self._codec)
            values = self._by_prefix.setdefault(prefix, new)
        self._starting.started()
        return values

    def _life_s(self, timeout: Timeout) -> float | None:
        """Return for how many seconds a value lives: None for without end (0, and -1 as RedisCache has it)."""
        seconds = self._normalize_timeout(timeout)
        if seconds in (0, -1):
            return None
        return _OVER if seconds < 0 else min(seconds, _LIFE_MAX_S)

    def _ignored(self, answer: _Answer) -> _Answer:
        """Return `answer` within the handling of an error that is to be ignored; raise the error if it is not."""
        if self.ignore_delete_many_errors:
            return answer
        raise  # called from `except` only


def forms(response_class: type[Response] = Response) -> list[Form]:
    """Return how the values of Flask-Caching's decorators travel: those of `tocsin.responses`, and `CachedResponse`."""
    return [
        *response_forms(response_class),
        Form(
            "cached-response",
            CachedResponse,
            lambda response: [pack_response(response), response.timeout],
            lambda packed: CachedResponse(unpack_response(packed[0]), packed[1]),
        ),
    ]


def _redis_url(config: Mapping[str, Any]) -> str:
    """Return the URL that RedisCache's settings describe. `CACHE_REDIS_DB` counts where a URL names no database."""
    if config.get("CACHE_REDIS_URL"):
        url = urlsplit(str(config["CACHE_REDIS_URL"]))
        names_one = url.scheme == "unix" or url.path.strip("/") or "db=" in url.query
        return url.geturl() if names_one else url._replace(path=f"/{config.get('CACHE_REDIS_DB', 0)}").geturl()
    password = config.get("CACHE_REDIS_PASSWORD")
    login = f":{quote(password, safe='')}@" if password else ""
    where = f"{config.get('CACHE_REDIS_HOST', 'localhost')}:{config.get('CACHE_REDIS_PORT', 6379)}"
    return f"redis://{login}{where}/{config.get('CACHE_REDIS_DB', 0)}"
