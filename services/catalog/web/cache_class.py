"""Cache classes: who may keep an answer, declared beside its route (docs/contract.md, "Classes").

What always holds: every route has exactly one class, which a test checks, and an error is `no-store` unless its route
says otherwise. `PUBLIC` is a second for shared caches, where the strategy does not number its invalidations: they hear
of none. Where it does, they are told to ask each time, unless they hear (`catalog.web.kept`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import TypeVar

from flask.typing import ResponseReturnValue

View = TypeVar("View", bound=Callable[..., ResponseReturnValue])
_MARK = "cache_class"


class CacheClass(enum.Enum):
    """The value of `Cache-Control` for each class."""

    PUBLIC = "public, max-age=0, s-maxage=1, must-revalidate"
    PRIVATE = "private, max-age=0, must-revalidate"
    NO_CACHE = "no-cache"
    NO_STORE = "no-store"
    IMMUTABLE = "public, max-age=31536000, immutable"


PUBLIC_TO_THE_DEAF = "public, max-age=0, must-revalidate"
"""What PUBLIC is to caches that hear of no invalidation, where others do."""


def cached(cache_class: CacheClass) -> Callable[[View], View]:
    """Declare the class of a route's answers."""

    def declare(view: View) -> View:
        setattr(view, _MARK, cache_class)
        return view

    return declare


def class_of(view: object) -> CacheClass | None:
    """The class that was declared for a view, or None where it was forgotten."""
    return getattr(view, _MARK, None)
