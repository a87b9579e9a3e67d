"""Entry: what a loader finds, what a level holds, and what a reader is told.

    loader ── Loaded ──▶ fill ──▶ L2: Entry ──▶ L1: Entry ──▶ reader: Answer (with one Step per level passed)

What always holds: these are frozen values without behaviour; a value of `None` means "known not to be there" (a
negative entry), never "not known": not known is a miss, and a miss is a type of its own (`Miss`, `shared.Load`).
Values are bytes, so an entry can be shared between threads without copies (hazard 35).
"""

import enum
import hashlib
from typing import Final

from msgspec import Struct

from tocsin.position import Position


class Layer(enum.Enum):
    """Who answered a read, or was passed by it."""

    L1 = "l1"
    L2 = "l2"
    DATABASE = "database"


class Loaded(Struct, frozen=True):
    """What a loader found in the database.

    `value` is the value's bytes, or `None` for "not there", which is cached too, for `Policy.negative_ttl_s`.
    `version` is the row's version, given by whoever committed it and never by a clock; 0 where there is none.
    `tags` name the groups with which the value can be invalidated. `load_s`, how long the load took, is measured by the
    library; a loader need not say it.
    """

    value: bytes | None
    version: int = 0
    tags: tuple[str, ...] = ()
    load_s: float = 0.0


class Entry(Struct, frozen=True):
    """A value as a level holds it: `ttl_s` seconds are left to it, and it was loaded `age_s` seconds ago.

    A dirty value has no time to live: its `ttl_s` is infinite. `load_s` is how long its load took (XFetch's δ); 0 where
    nobody measured it.
    """

    value: bytes | None
    version: int
    tags: tuple[str, ...]
    ttl_s: float
    age_s: float
    load_s: float = 0.0


class Miss(Struct, frozen=True):
    """A level has nothing that may be used; `reason` and `detail` are those of `Step`."""

    reason: str
    detail: str | None = None


CAUSES: Final = frozenset(
    {
        *("cold", "expired", "evicted", "invalidated", "lease"),  # the five that everybody's metrics tell apart
        *("epoch", "version", "watermark", "demand"),  # kept, and not what this read may be given
        *("writing", "busy", "pending", "redis-unreachable", "redis-refused", "no-cache", "undecodable"),
    }
)
"""Why a level did not answer: `Step.cause` is one of these, so it can label a metric."""


class Step(Struct, frozen=True):
    """One cache level that a read passed: a member of `Cache-Status` (RFC 9211).

    `reason` is empty on a hit, else why the level could not answer, in the words of RFC 9211 section 2.2: `uri-miss`
    (nothing under this key), `stale` (expired, or kept under an older version), `bypass` (the level was not used).
    `ttl_s` is what is left to the entry: on a hit, or when the answer was stored. `detail` is free text.
    """

    layer: Layer
    hit: bool
    reason: str = ""
    ttl_s: float | None = None
    detail: str | None = None

    @property
    def cause(self) -> str:
        """Why the level did not answer, as one of `CAUSES`; '' on a hit."""
        if self.hit:
            return ""
        if self.detail in CAUSES:
            return self.detail
        return "expired" if self.reason == "stale" else "cold"


class Answer(Struct, frozen=True):
    """What a read returns, and how it came about.

    `layer` answered; `steps` has one step per level passed, the one nearest the database first. `age_s` counts from
    the load. `stored`: L2 took the loaded value. `joined`: another thread's load answered this read. A read under
    `Policy.versioned_by` says which `namespace_version` it used, or `None` when Redis could not tell.
    `watermark` is what a session has seen with this answer; None where the strategy numbers nothing. `base` is the
    position as of which the answer was proved true, so that another cache, an edge's, may keep it for as long as
    nothing later invalidates its key, its `tags` or its namespace; None says that nothing proves it.
    """

    value: bytes | None
    version: int
    layer: Layer
    steps: tuple[Step, ...]
    age_s: float = 0.0
    stored: bool = False
    joined: bool = False
    namespace_version: int | None = None
    watermark: Position | None = None
    base: Position | None = None
    tags: tuple[str, ...] = ()

    @property
    def negative(self) -> bool:
        """Whether the key is known not to be there."""
        return self.value is None

    @property
    def etag(self) -> str | None:
        """A strong entity-tag (RFC 9110 section 8.8.3) of the value, quotes included; None if there is no value.

        It is made of the bytes alone: a counter that began again after a restart would give old bytes the tag of new
        ones (hazard 31). The same bytes have the same tag on every node and from every level.
        """
        return None if self.value is None else etag_of(self.value)


def etag_of(value: bytes) -> str:
    """Return the strong entity-tag of these bytes, quotes included."""
    return f'"{hashlib.blake2b(value, digest_size=16).hexdigest()}"'
