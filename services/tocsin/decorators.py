"""Decorators: a function whose results are kept in the cache, and forgotten on all nodes at once.

    @memoize(cache, tags=lambda currency: (f"rates:{currency}",))
    def rate(currency: str) -> Decimal: ...

    rate("EUR")                    L1, L2, or a call
    rate.invalidate("EUR")         this call's result is forgotten, everywhere
    rate.invalidate_all()          all of its results are

What always holds: the function runs as the cache's loader, so of many callers at once one calls it, a result computed
before an invalidation is not kept after it where the strategy promises so, and what the function raises is raised,
and not kept. A result of None is a result. With Redis away the function is called.
"""

import functools
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, TypeVar, cast

from tocsin.cache import Cache
from tocsin.call_key import CallKey
from tocsin.codec import MsgspecCodec, Unreadable, ValueCodec
from tocsin.entry import Loaded
from tocsin.names import Names
from tocsin.policy import Policy
from tocsin.writing import Receipt

P = ParamSpec("P")
R = TypeVar("R")
Tags = Sequence[str] | Callable[..., Sequence[str]]


class Memoized(Generic[P, R]):
    """A memoized function; calling it is calling the cache."""

    def __init__(
        self,
        function: Callable[P, R],
        *,
        cache: Callable[[], Cache],
        codec: ValueCodec,
        policy: Policy,
        tags: Tags,
        name: str,
    ) -> None:
        functools.update_wrapper(self, function)
        self.uncached = function
        self._cache = cache
        self._codec = codec
        self._policy = policy
        self._tags = tags
        self._call_key = CallKey(function, name)
        self._own_tag = f"calls:{self._call_key.name}"

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the kept result of this call, or call the function and keep its result.

        Raises what the function raises; `TypeError` for an argument that has no key; `codec.Unstorable` for a result
        that the codec can't hold.
        """
        key = self._call_key(args, kwargs)
        packed = self._cache().get_or_load(key, functools.partial(self._load, args, kwargs), self._policy)
        try:
            return cast(R, self._codec.decode(packed or b""))
        except Unreadable:  # it was kept by another codec, or by an older release with other forms
            self._cache().invalidate(Names(keys=(key,)))
            return self.uncached(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        """Bind a method to its object, which becomes the first argument."""
        return self if instance is None else functools.partial(cast(Any, self), instance)

    def key(self, *args: P.args, **kwargs: P.kwargs) -> str:
        """Return the key of a call."""
        return self._call_key(args, kwargs)

    def invalidate(self, *args: P.args, **kwargs: P.kwargs) -> Receipt:
        """Forget the result of one call, on all nodes."""
        return self._cache().invalidate(Names(keys=(self._call_key(args, kwargs),)))

    def invalidate_all(self) -> Receipt:
        """Forget the results of all calls, on all nodes."""
        return self._cache().invalidate(Names(tags=(self._own_tag,)))

    def _load(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Loaded:
        value = self.uncached(*args, **kwargs)
        tags = self._tags(*args, **kwargs) if callable(self._tags) else self._tags
        return Loaded(self._codec.encode(value), tags=(self._own_tag, *tags))


def memoize(
    cache: Cache | Callable[[], Cache],
    *,
    policy: Policy = Policy(),  # noqa: B008  # a frozen value
    tags: Tags = (),
    codec: ValueCodec | None = None,
    name: str = "",
) -> Callable[[Callable[P, R]], Memoized[P, R]]:
    """Return a decorator that keeps a function's results in `cache`, which may be a function that returns it.

    `tags` name the groups with which a result can be invalidated, or are a function of the call's arguments that does.
    `name` is the function's full name unless given: give one to a function that may move.
    """
    given = cache
    provide: Callable[[], Cache] = (lambda: given) if isinstance(given, Cache) else given

    def decorate(function: Callable[P, R]) -> Memoized[P, R]:
        return Memoized(function, cache=provide, codec=codec or MsgspecCodec(), policy=policy, tags=tags, name=name)

    return decorate
