"""Invalidation: what the names of a write mean to L2 under one strategy.

`Names` say what changed, in the application's words. An `Invalidation` says what must happen to keys, counters and
files in Redis, and is made from the names by the strategy's addressing. What always holds: applying it twice does no
more harm than applying it once (a second bump orphans nothing that is still wanted), so a relay may repeat it.
"""

from msgspec import Struct

from tocsin.glob import prefix_of
from tocsin.names import Names

EVERYTHING_COUNTER = "everything"
"""The counter that orphans all keys, under the strategy `versioned`."""


class Invalidation(Struct, frozen=True):
    """What L2 does about `names`, which the backplane tells to the other nodes as they are.

    `delete` are keys whose own entry goes; `bump` are counters that rise; `filed` are files (see `tag_file` and
    `key_file`) whose entries all go; `search` are patterns for whose keys all entries are looked through, in steps and
    not at once: what is kept during the search may be missed (hazard 22).
    """

    names: Names
    delete: tuple[str, ...]
    bump: tuple[str, ...]
    filed: tuple[str, ...]
    search: tuple[str, ...] = ()


def tag_file(tag: str) -> str:
    """The file that lists the entries carrying `tag`."""
    return f"tag:{tag}"


def key_file(key: str) -> str:
    """The file that lists the addresses of a key that has several over time."""
    return f"key:{key}"


def key_counter(key: str) -> str:
    """The counter of one key, under the strategy `versioned`."""
    return f"key:{key}"


def prefix_counter(prefix: str) -> str:
    """The counter of a prefix of keys, under the strategy `versioned`."""
    return f"prefix:{prefix}"


def parent_counters(key: str) -> tuple[str, ...]:
    """The counters, beside its own, that orphan a key under the strategy `versioned`: everything's, its prefix's."""
    prefix = prefix_of(key)
    return (EVERYTHING_COUNTER, prefix_counter(prefix)) if prefix else (EVERYTHING_COUNTER,)


def namespace_counter(namespace: str) -> str:
    """The counter of a namespace: its version."""
    return f"namespace:{namespace}"


def keys_of(physical: str) -> tuple[str, ...]:
    """The keys whose entry may lie at a physical key: `k@5` is version 5 of `k`, or a key that is written so."""
    key = physical.rpartition("@")[0]
    return (physical, key) if key else (physical,)
