"""Names: what a write changes, and so what an invalidation carries.

A write names the keys it changes, the tags of the entries that depend on it, and the namespaces whose version it
raises. What always holds: names are short printable text, checked here once, so that they can be joined into Redis
keys and messages without escaping.
"""

from collections.abc import Iterable

from msgspec import Struct

NAME_LENGTH_MAX = 512


class Names(Struct, frozen=True, omit_defaults=True):
    """The keys, tags and namespaces that one write, or one invalidation, concerns; `everything` concerns all there is.

    `patterns` mean keys (`tocsin.glob`); which ones can be invalidated is the strategy's business. Raises `ValueError`
    for a name that is empty, longer than 512 characters or holds control characters.
    """

    keys: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    everything: bool = False
    patterns: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (*self.keys, *self.tags, *self.namespaces, *self.patterns):
            check_name(name)


def check_name(name: str) -> str:
    """Return `name` if it can be a key, tag or namespace; raise `ValueError` if not."""
    if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
        raise ValueError(
            f"{name[:80]!r} can't be a key, tag or namespace: 1 to {NAME_LENGTH_MAX} printable characters are needed"
        )
    return name


def united(many: Iterable[Names]) -> Names:
    """Return the names of all, each once."""
    each = tuple(many)
    return Names(
        keys=tuple(dict.fromkeys(name for names in each for name in names.keys)),
        tags=tuple(dict.fromkeys(name for names in each for name in names.tags)),
        namespaces=tuple(dict.fromkeys(name for names in each for name in names.namespaces)),
        everything=any(names.everything for names in each),
        patterns=tuple(dict.fromkeys(name for names in each for name in names.patterns)),
    )
