"""Glob: patterns of keys, as people write them: `*` stands for any text, `?` for one character, all else for itself.

    product:*          a whole prefix: the one pattern that every strategy can invalidate, in one step
    product:*:image    a search through all keys: for strategies that make one, as the literature does

What always holds: the same pattern means the same keys here and in Redis, whose brackets and backslashes are escaped.
"""

import functools
import re

PREFIX_ENDS = ":"


def prefix_of(key: str) -> str:
    """Return what stands before a key's first colon, '' if it has none: `product` of `product:1`."""
    prefix, separator, _ = key.partition(PREFIX_ENDS)
    return prefix if separator else ""


def whole_prefix(pattern: str) -> str:
    """Return the prefix whose keys, all of them, a pattern means; '' if it means something else."""
    prefix, separator, rest = pattern.partition(PREFIX_ENDS)
    return prefix if separator and rest == "*" and "*" not in prefix and "?" not in prefix else ""


@functools.lru_cache(maxsize=64)
def matcher(pattern: str) -> re.Pattern[str]:
    """Return the expression that matches, wholly, the keys that a pattern means."""
    parts = re.split(r"([*?])", pattern)
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts), re.DOTALL)


def matches(pattern: str, key: str) -> bool:
    """Whether a pattern means this key."""
    return matcher(pattern).fullmatch(key) is not None


def redis_glob(pattern: str) -> str:
    """Return a pattern as Redis reads it."""
    return re.sub(r"([\[\]\\^])", r"\\\1", pattern)
