"""Flask: the cache as an extension of an application, or of several.

    tocsin = Tocsin()                     at import
    tocsin.init_app(app)                  in the factory: settings TOCSIN_*, `flask tocsin` commands
    tocsin.cache                          in a request or command: the current application's cache, started

What always holds: `init_app` opens nothing: no connection, no thread. Each process starts the cache when it first uses
it, so an application may be made before a fork (gunicorn's preload); a hook may start it earlier (`start`). All that
belongs to one application is in `app.extensions["tocsin"]`.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

from flask import Flask, current_app, has_app_context
from msgspec import Struct

from tocsin.assembly import connect
from tocsin.background import Work
from tocsin.cache import Cache
from tocsin.clock import SystemClock
from tocsin.codec import MsgspecCodec, ValueCodec
from tocsin.configuration import cache_settings, under_prefix
from tocsin.decorators import Memoized, Tags, memoize
from tocsin.errors import SettingsError
from tocsin.flask_commands import tocsin_commands
from tocsin.names import Names
from tocsin.observer import Observer
from tocsin.policy import Policy
from tocsin.redis.connection import RedisConnection
from tocsin.redis.values import RedisShelf
from tocsin.responses import response_forms
from tocsin.settings import CacheSettings
from tocsin.signed_pickle import SignedPickleCodec
from tocsin.starting import SelfStarting
from tocsin.values import Values
from tocsin.views import CachedView, Varying, View
from tocsin.writing import Receipt, Write

PREFIX = "TOCSIN_"
NAME = "tocsin"
_OWN_SETTINGS = ("signing_keys",)

P = ParamSpec("P")
R = TypeVar("R")


class Installed(Struct, frozen=True):
    """What one application has: `app.extensions["tocsin"]`."""

    settings: CacheSettings
    codec: ValueCodec
    starting: SelfStarting
    values: Values


class Tocsin:
    """The extension; one object serves any number of applications.

    `trouble` are errors, beside OSError, that say that what the application loads from is in trouble, such as
    SQLAlchemy's `OperationalError`: a few of them in a row, and it is left alone for a second (`tocsin.loading`).
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        observer: Observer | None = None,
        trouble: Sequence[type[Exception]] = (),
    ) -> None:
        self._observer = observer
        self._trouble = trouble
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Install the cache that `app.config` describes; raises `SettingsError`.

        The namespace is the application's name, and Redis redis://localhost:6379/0, unless set. With
        `TOCSIN_SIGNING_KEYS` results of any picklable type can be memoized, signed.
        """
        if NAME in app.extensions:
            raise SettingsError(f"the application {app.name!r} has a Tocsin already: init_app is called once for each")
        fallbacks = {
            "namespace": re.sub(r"[^A-Za-z0-9_.-]", "-", app.name)[:64],
            "redis_url": "redis://localhost:6379/0",
        }
        chosen = {**fallbacks, **under_prefix(app.config, PREFIX)}
        keys = chosen.get("signing_keys")
        settings = cache_settings(chosen, prefix=PREFIX, besides=_OWN_SETTINGS)
        codec = MsgspecCodec(response_forms(app.response_class)) if keys is None else SignedPickleCodec(keys)
        cache, clock = self._connected(settings), SystemClock()
        shelf = RedisShelf(RedisConnection(settings, clock), "values", clock=clock)
        values = Values(cache=cache, shelf=shelf, codec=codec)
        app.extensions[NAME] = Installed(settings, codec, SelfStarting(cache), values)
        app.cli.add_command(tocsin_commands)

    def _connected(self, settings: CacheSettings) -> Cache:
        return connect(settings, observer=self._observer, trouble=self._trouble, carry=carried)

    @property
    def cache(self) -> Cache:
        """The current application's cache, started in this process; needs an application context."""
        return _current().starting.started()

    @property
    def values(self) -> Values:
        """Values that the current application's processes share by key: get, set, add, delete, count."""
        installed = _current()
        installed.starting.started()
        return installed.values

    def start(self, app: Flask) -> None:
        """Start `app`'s cache now, for instance in gunicorn's `post_worker_init`."""
        _installed(app).starting.started()

    def stop(self, app: Flask) -> None:
        """End the listener and the connections that this process has for `app`; the next use begins anew."""
        installed = _installed(app)
        installed.starting.stop()
        installed.values.close()

    def writing(self, *, keys: Sequence[str] = (), tags: Sequence[str] = (), namespaces: Sequence[str] = ()) -> Write:
        """Return the context in which a write that changes these names commits: see `tocsin.writing`."""
        return self.cache.writing(Names(tuple(keys), tuple(tags), tuple(namespaces)))

    def invalidate(
        self,
        *,
        keys: Sequence[str] = (),
        tags: Sequence[str] = (),
        namespaces: Sequence[str] = (),
        pattern: str = "",
        everything: bool = False,
    ) -> Receipt:
        """Invalidate names on all nodes, after somebody changed what they stand for: see `Cache.invalidate`."""
        return self.cache.invalidate(
            keys=keys, tags=tags, namespaces=namespaces, pattern=pattern, everything=everything
        )

    def cached(
        self,
        *,
        policy: Policy = Policy(),  # noqa: B008  # a frozen value
        tags: Sequence[str] | Callable[..., Sequence[str]] = (),
        query: bool | Sequence[str] = True,
        headers: Sequence[str] = (),
        vary: Mapping[str, Callable[[], str | None]] | None = None,
        user: Callable[[], str | None] | None = None,
        public: bool = False,
        statuses: Collection[int] = (200,),
    ) -> Callable[[View], CachedView]:
        """Return a decorator that keeps a view's answers; put it below `@app.get`. See `tocsin.views`.

        `query`, `headers`, `vary` and `user` say what varies the answer, beside method, host and path. `tags` name
        groups to invalidate by, or are a function of the view's arguments that does.
        """
        varying = Varying(query=query, headers=headers, inputs=vary or {}, user=user, public=public)

        def decorate(view: View) -> CachedView:
            return CachedView(
                view,
                cache=lambda: self.cache,
                codec=lambda: _current().codec,
                varying=varying,
                policy=policy,
                tags=tags,
                statuses=statuses,
            )

        return decorate

    def memoize(
        self,
        *,
        policy: Policy = Policy(),  # noqa: B008  # a frozen value
        tags: Tags = (),
        name: str = "",
    ) -> Callable[[Callable[P, R]], Memoized[P, R]]:
        """Return a decorator that keeps a function's results in the application's cache: see `tocsin.decorators`."""
        return memoize(lambda: self.cache, policy=policy, tags=tags, codec=_CurrentCodec(), name=name)


def carried(work: Work) -> Work:
    """Return `work` with an application context of its own, like that of whoever submits it.

    Of its own, so that what belongs to a context (a session, a connection) is not shared by two threads at once. There
    is no request in it: a function whose result depends on one has no key that says so, and fails, and is not kept.
    """
    if not has_app_context():
        return work
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def within() -> None:
        with app.app_context():
            work()

    return within


class _CurrentCodec:
    """The codec of whichever application is current when it is used."""

    def encode(self, value: object) -> bytes:
        return _current().codec.encode(value)

    def decode(self, packed: bytes) -> Any:
        return _current().codec.decode(packed)


def _current() -> Installed:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # asked once, not at each attribute
    return _installed(app)


def _installed(app: Flask) -> Installed:
    try:
        installed: Installed = app.extensions[NAME]
    except KeyError:
        raise SettingsError(f"the application {app.name!r} has no Tocsin: call tocsin.init_app(app) first") from None
    return installed
