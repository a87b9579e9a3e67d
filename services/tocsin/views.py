"""Views: whole answers of Flask views, kept under a key of everything that varies them.

    request ─▶ context key (host, path, query, declared header fields and inputs, user) ─▶ cache ─▶ view, on a miss
                                                                                     └▶ ETag, 304

What always holds: an answer is kept only if its key tells apart everybody who should get another one. So it is
returned, and not kept, if it

| sign | why |
|---|---|
| it sets a cookie, or says `no-store`, `no-cache` or `Vary: *` | it is for this client, or this moment |
| it is personal, and no user is in the key | it is for this person |
| it says `Vary` with a field that was not declared | its key does not hold that field |
| its status is not among those declared, or it is streamed or aborted | it is an error, or can't be read |

It is personal if the session was read, `Authorization` was sent, or it says `private` or `Vary: Cookie`.
A view that answers a person without a user in its key is not asked of the cache again by this worker: who it was kept
for before is not known. The signs are a net under the developer and no proof: what else varies the answer is declared
(`vary`). `public=True` declares that reading the session does not.
"""

import functools
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from flask import Response, current_app, request
from flask.globals import request_ctx
from msgspec import Struct
from msgspec.structs import replace
from werkzeug.exceptions import HTTPException

from tocsin.cache import Cache
from tocsin.codec import Unreadable, Unstorable, ValueCodec
from tocsin.context_key import ContextKey, Input, context_key
from tocsin.entry import Loaded
from tocsin.names import Names
from tocsin.policy import Policy

logger = logging.getLogger(__name__)

View = Callable[..., Any]

KEYS_MAX = 1024
"""Request lines whose keys a view remembers: making one takes longer than all else that a hit does."""
_LINE = (
    *("REQUEST_METHOD", "wsgi.url_scheme", "HTTP_HOST", "SERVER_NAME", "SERVER_PORT"),
    *("SCRIPT_NAME", "PATH_INFO", "QUERY_STRING"),
)
"""All that a key without declared headers, inputs and users is made of."""
_CONDITIONS = frozenset(
    {
        *("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_UNMODIFIED_SINCE"),
        *("HTTP_IF_RANGE", "HTTP_RANGE"),
    }
)


class Varying(Struct, frozen=True, kw_only=True):
    """What varies a view's answers, beside method, host and path.

    `query`: all arguments of the query string, or those named. `headers`: request header fields. `inputs`: anything
    else, by name, as functions that are asked within the request. `user`: a function that returns who asks, or None
    for nobody in particular. `public`: answers do not depend on who asks, although the session was read.
    """

    query: bool | Sequence[str] = True
    headers: Sequence[str] = ()
    inputs: Mapping[str, Callable[[], str | None]] = {}
    user: Callable[[], str | None] | None = None
    public: bool = False

    @property
    def by_line_alone(self) -> bool:
        """Whether the request's line and host are all that is in a key."""
        return not self.headers and not self.inputs and self.user is None

    def key(self, name: str) -> ContextKey:
        """Return the key of the current request to the view `name`."""
        pairs = list(request.args.items(multi=True))
        if not isinstance(self.query, bool):
            pairs = [pair for pair in pairs if pair[0] in self.query]
        inputs: dict[str, Input] = {
            "method": request.method,
            "host": request.host_url,
            "path": f"{request.root_path}{request.path}",
            "query": pairs if self.query else None,
            **{f"header:{field.lower()}": request.headers.get(field) for field in self.headers},
            **{f"input:{each}": ask() for each, ask in self.inputs.items()},
        }
        return context_key(name, inputs, user=self._who())

    def _who(self) -> str | None:
        """Return who asks; somebody who is nobody is one of those told apart, if users are."""
        if self.user is None:
            return None
        who = self.user()
        return "nobody" if who is None else f"id:{who}"


class NotKept(Exception):  # noqa: N818  # an event, handled in this module
    """The answer is for its own client only; `personal` if it depends on who asks."""

    def __init__(self, why: str, *, personal: bool = False) -> None:
        super().__init__(why)
        self.personal = personal


class CachedView:
    """One view whose answers are kept; call it as the view."""

    def __init__(
        self,
        view: View,
        *,
        cache: Callable[[], Cache],
        codec: Callable[[], ValueCodec],
        varying: Varying,
        policy: Policy,
        tags: Sequence[str] | Callable[..., Sequence[str]],
        statuses: Collection[int],
    ) -> None:
        functools.update_wrapper(self, view)
        self.uncached = view
        self.name = f"{view.__module__}.{view.__qualname__}"
        self._cache = cache
        self._codec = codec
        self._varying = varying
        # A view belongs to its request: what a hook put into `g`, or the session, is not to be had on another thread,
        # and a page made without it would be kept for somebody who should get another.
        self._policy = replace(policy, thread_bound=True)
        self._tags = tags
        self._statuses = statuses
        self._found_personal = False
        self._keys: dict[tuple[Any, ...], ContextKey] = {}

    def __call__(self, **arguments: Any) -> Response:
        """Answer the current request from the cache, else by the view; raises what the view raises."""
        asked = request_ctx.request
        environ = asked.environ
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD") or self._found_personal:
            return self._answer(arguments)
        key = self._key(environ)
        if "HTTP_AUTHORIZATION" in environ and not key.personal and not self._varying.public:
            return self._answer(arguments)
        made: list[Response | HTTPException] = []
        kept = self._cache().get_or_load(key.text, functools.partial(self._load, key, arguments, made), self._policy)
        if kept is None:  # not to be kept: each request has an answer of its own
            own = made[0] if made else self._answer(arguments)
            if isinstance(own, HTTPException):
                raise own
            return own
        try:
            response: Response = self._codec().decode(kept)
        except Unreadable:  # an older release kept it in another form
            self._cache().invalidate(Names(keys=(key.text,)))
            return self._answer(arguments)
        if not _CONDITIONS.isdisjoint(environ):
            response.make_conditional(asked)
        return response

    def _key(self, environ: Mapping[str, Any]) -> ContextKey:
        """Return the request's key; where only its line and host vary it, one that was made before may be known."""
        if not self._varying.by_line_alone:
            return self._varying.key(self.name)
        line = tuple(map(environ.get, _LINE))
        key = self._keys.get(line)
        if key is None:
            if len(self._keys) >= KEYS_MAX:
                self._keys.clear()
            key = self._keys[line] = self._varying.key(self.name)
        return key

    def invalidate_all(self) -> None:
        """Forget all answers of this view, on all nodes."""
        self._cache().invalidate(Names(tags=(f"view:{self.name}",)))

    def _answer(self, arguments: dict[str, Any]) -> Response:
        return current_app.make_response(current_app.ensure_sync(self.uncached)(**arguments))

    def _load(self, key: ContextKey, arguments: dict[str, Any], made: list[Response | HTTPException]) -> Loaded:
        """Make the answer; what may not be kept is left in `made`, and its key is known for a second to hold nothing.

        That is told to the cache, and not raised through it, so that whoever waits for this key goes on at once.
        """
        try:
            response = self._answer(arguments)
        except HTTPException as refusal:  # an answer like any other, for the application's error handlers to give
            made.append(refusal)
            return Loaded(None, tags=(f"view:{self.name}",))
        tags = self._tags(**arguments) if callable(self._tags) else self._tags
        try:
            self._check(response, key)
            if key.personal and not response.cache_control.public:
                response.cache_control.private = True  # our key holds the user; that of a proxy before us does not
            if response.status_code == 200:
                response.add_etag()
            return Loaded(self._codec().encode(response), tags=(f"view:{self.name}", *tags))
        except (NotKept, Unstorable) as reason:
            personal = isinstance(reason, NotKept) and reason.personal
            self._found_personal = self._found_personal or personal
            logger.log(logging.WARNING if personal else logging.INFO, "%s is not kept: %s", key.text, reason)
            made.append(response)
            return Loaded(None, tags=(f"view:{self.name}",))

    def _check(self, response: Response, key: ContextKey) -> None:
        """Raise `NotKept` unless the answer may be given to everybody whose request has this key."""
        control = response.cache_control
        vary = {field.lower() for field in response.vary}
        if "Set-Cookie" in response.headers:
            raise NotKept("it sets a cookie")
        if control.no_store or control.no_cache or "*" in vary:
            raise NotKept("it says that it may not be")
        if not key.personal and (sign := self._personal_sign(response, vary)):
            raise NotKept(
                f"{sign}, and its key holds no user: give one (user=…), or say that none matters (public=True)",
                personal=True,
            )
        missing = vary - {field.lower() for field in self._varying.headers} - {"cookie", "authorization"}
        if missing:
            raise NotKept(f"it varies by {', '.join(sorted(missing))}: declare headers=({missing.pop()!r},)")
        if response.is_streamed or response.direct_passthrough:
            raise NotKept("it is streamed")
        if response.status_code not in self._statuses:
            raise NotKept(f"its status is {response.status_code}")

    def _personal_sign(self, response: Response, vary: set[str]) -> str:
        if response.cache_control.private:
            return "it says private"
        if vary & {"cookie", "authorization"}:
            return "it varies by who asks"
        if not self._varying.public and _session_was_read():
            return "the session was read"
        return ""


def _session_was_read() -> bool:
    """Return whether anything in this request has read the session.

    Since Flask 3.1.3 asking for the session counts as reading it; so the context is asked for what it has. Where that
    is not to be found, the answer is yes, which is the safe one.
    """
    session = getattr(request_ctx, "_session", None)
    return (request_ctx.session if session is None else session).accessed
