"""Address: under which physical key an entry is kept, and what orphans it.

    product:1                       plain: an invalidation must delete the entry wherever it is
    products:toys:1@1763884000112   versioned: raising the version orphans the entry everywhere at once

A versioned address holds the values of a few counters in Redis, read at each lookup *before* anything is loaded.
So a value whose load began before the version rose is kept, if at all, under an address that no later reader asks for:
it needs no deletion, and expires (hazards 1 and 2). The price is a round trip to Redis for each resolution.

What always holds: one rule serves two uses. `Policy.versioned_by` puts the version of a whole namespace into the key;
the strategy `versioned` puts a counter of the key's own there. A counter that can't be read leaves no address, and
then neither level is used: missing evidence is a miss.
"""

# ruff: noqa: ARG002  # a method takes what its port says, whether or not this adapter needs it

from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from tocsin.errors import NotConfigured
from tocsin.glob import whole_prefix
from tocsin.invalidation import (
    EVERYTHING_COUNTER,
    Invalidation,
    key_counter,
    key_file,
    namespace_counter,
    parent_counters,
    prefix_counter,
    tag_file,
)
from tocsin.names import Names, check_name
from tocsin.policy import Policy

Versions = Callable[[Sequence[str]], tuple[int, ...]]
"""How counters are read: `SharedLevel.versions`."""


class Address(Struct, frozen=True):
    """Where the entry of `key` is kept.

    `physical` is the key it has in Redis. `counter` names the counter that orphans this one entry ('' if only deletion
    removes it). `filed` are files, beside those of its tags, through which a deletion finds it.
    """

    key: str
    physical: str
    counter: str = ""
    filed: tuple[str, ...] = ()
    namespace: str | None = None
    namespace_version: int | None = None


class Addressing(Protocol):
    """The port: a strategy's rule for turning keys into addresses, and names into invalidations."""

    def resolve(self, keys: Sequence[str], policy: Policy) -> list[Address]:
        """Return the keys' addresses as of now; raise `Unavailable` if they hold a counter that can't be read."""

    def counter(self, key: str) -> str:
        """Return the counter that orphans the entry of `key` alone, or '' if there is none."""

    def invalidation(self, names: Names) -> Invalidation:
        """Return what a write of `names` does to L2."""


def whole_prefixes(patterns: Sequence[str], strategy: str) -> list[str]:
    """Return the prefixes that patterns mean, all their keys; raise `NotConfigured` for a pattern that means others."""
    prefixes = list(map(whole_prefix, patterns))
    if not all(prefixes):
        wrong = patterns[prefixes.index("")]
        raise NotConfigured(
            f"pattern {wrong!r} needs a search through all keys, which strategy {strategy!r} does not make. Give the"
            " values a tag when they are loaded (Loaded(tags=…)) and invalidate by tags=, or name a whole prefix, such"
            " as 'product:*'; 'pubsub', 'pubsub-flush' and 'tracking' search"
        )
    return prefixes


class PlainAddresses:
    """A key is its own address, unless its policy puts a namespace's version into it."""

    def __init__(self, versions: Versions, *, strategy: str = "", searches: bool = True) -> None:
        self._versions = versions
        self._strategy = strategy
        self._searches = searches

    def resolve(self, keys: Sequence[str], policy: Policy) -> list[Address]:
        """Return the keys themselves, or `key@<version of their namespace>`."""
        if policy.versioned_by is None:
            return [Address(key, key) for key in keys]
        (version,) = self._versions((namespace_counter(policy.versioned_by),))
        return [
            Address(
                key,
                f"{key}@{version}",
                filed=(key_file(key),),  # a writer that names the key knows neither its namespace nor its version
                namespace=policy.versioned_by,
                namespace_version=version,
            )
            for key in keys
        ]

    def counter(self, key: str) -> str:
        """Return '': a plain entry is deleted."""
        return ""

    def invalidation(self, names: Names) -> Invalidation:
        """Delete the entries of the keys, at whatever address, and of the tags; raise the namespaces' versions.

        Patterns are searched for. Raises `NotConfigured` for one that is no whole prefix where others are told nothing.
        """
        if not self._searches:
            whole_prefixes(names.patterns, self._strategy)
        return Invalidation(
            names=names,
            delete=names.keys,
            bump=tuple(map(namespace_counter, names.namespaces)),
            filed=(*map(key_file, names.keys), *map(tag_file, names.tags)),
            search=("*",) if names.everything else names.patterns,
        )


class BareAddresses(PlainAddresses):
    """The strategy `no-cache`: nothing is kept, so no version has to be read to say where."""

    def __init__(self) -> None:
        super().__init__(lambda _: ())

    def resolve(self, keys: Sequence[str], policy: Policy) -> list[Address]:
        """Return the keys themselves."""
        return [Address(key, key) for key in keys]


class NamedAddresses:
    """The strategies `sequenced` and `strict`: a key is its own address, and a namespace is a name like a tag.

    Its version needs no look at Redis: an entry carries the name, and is refused once that was invalidated. So is the
    prefix of a key, and everything: one sequence, however many keys.
    """

    def __init__(self, strategy: str = "sequenced") -> None:
        self._strategy = strategy

    def resolve(self, keys: Sequence[str], policy: Policy) -> list[Address]:
        """Return the keys themselves, with their namespace."""
        return [Address(key, key, namespace=policy.versioned_by) for key in keys]

    def counter(self, key: str) -> str:
        """Return '': a plain entry is deleted."""
        return ""

    def invalidation(self, names: Names) -> Invalidation:
        """Return the names: what becomes of them is the sequencer's business. Raises `NotConfigured` for a search."""
        whole_prefixes(names.patterns, self._strategy)
        return Invalidation(names=names, delete=(), bump=(), filed=())


class VersionedAddresses:
    """The strategy `versioned`: every key holds the value of its own counter, and nothing has to be deleted."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions

    def resolve(self, keys: Sequence[str], policy: Policy) -> list[Address]:
        """Return `key@<versions>`: of its namespace, of everything, of its prefix, its own; all in one round trip."""
        namespace = () if policy.versioned_by is None else (namespace_counter(policy.versioned_by),)
        counters: list[str] = []
        for key in keys:  # checked before they become counters in Redis
            counters += (*namespace, *parent_counters(check_name(key)), key_counter(key))
        versions = iter(self._versions(counters))
        addresses = []
        for key in keys:
            own = [next(versions) for _ in (*namespace, *parent_counters(key), key)]
            addresses.append(
                Address(
                    key,
                    f"{key}@{'.'.join(map(str, own))}",
                    key_counter(key),
                    namespace=policy.versioned_by,
                    namespace_version=own[0] if namespace else None,
                )
            )
        return addresses

    def counter(self, key: str) -> str:
        """Return the name of the key's own counter."""
        return key_counter(key)

    def invalidation(self, names: Names) -> Invalidation:
        """Raise the counters of what is named; a tag's entries are deleted from L2 and their counters raised.

        Raises `NotConfigured` for a pattern that is no whole prefix.
        """
        return Invalidation(
            names=names,
            delete=(),
            bump=(
                *map(key_counter, names.keys),
                *map(namespace_counter, names.namespaces),
                *map(prefix_counter, whole_prefixes(names.patterns, "versioned")),
                *((EVERYTHING_COUNTER,) if names.everything else ()),
            ),
            filed=tuple(map(tag_file, names.tags)),
        )
