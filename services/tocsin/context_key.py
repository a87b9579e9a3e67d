"""Context key: the key of an answer that depends on its request, with every input that varies it inside.

    ("catalog.search", {"path": "/search", "query": (("a", "1"),), "user": "ada"})
        ─▶  catalog.search?path=/search&query.a=1&user=ada

A shared key for a personal answer hands one person's page to another (hazard 32). So a key is built of named inputs,
and says of itself whether a person is among them.

What always holds: no two contexts have one key. Names and values are percent-encoded, so that what separates them can't
occur in them; inputs stand in alphabetical order, and those of one name in their own; an input that is absent is not
one that is empty. A key too long for Redis's comfort becomes its SHA-256, behind a `#` that no other key holds.
"""

import hashlib
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from msgspec import Struct

_LENGTH_MAX = 300

Input = str | Sequence[tuple[str, str]] | None
"""One input: a text, the pairs of a query string or of a header, or None where the request does not have it."""


class ContextKey(Struct, frozen=True):
    """The key, and whether it holds a user: only then may a personal answer be kept under it."""

    text: str
    personal: bool


def context_key(name: str, inputs: Mapping[str, Input], *, user: str | None = None) -> ContextKey:
    """Return the key of what `name` answers to `inputs`; with `user`, for that person only.

    Raises `ValueError` if an input is named `user`, which is this function's own, or holds a dot, which separates an
    input from its members.
    """
    wrong = [each for each in inputs if each == "user" or "." in each or not each]
    if wrong:
        raise ValueError(f"an input can't be named {wrong[0]!r}: choose a name without dots, and pass a user as `user`")
    parts = [part for each in sorted(inputs) for part in _parts(each, inputs[each])]
    if user is not None:
        parts.append(f"user={_quoted(user)}")
    text = f"{_quoted(name)}?{'&'.join(parts)}"
    if len(text) > _LENGTH_MAX:
        text = f"{_quoted(name)[:64]}#{hashlib.sha256(text.encode()).hexdigest()}"
    return ContextKey(text, personal=user is not None)


def _parts(name: str, given: Input) -> list[str]:
    if given is None:
        return []
    if isinstance(given, str):
        return [f"{_quoted(name)}={_quoted(given)}"]
    # Pairs are sorted by name alone: ?a=2&a=1 is another request than ?a=1&a=2, while ?a=1&b=2 is ?b=2&a=1.
    pairs = sorted(given, key=lambda pair: pair[0])
    return [f"{_quoted(name)}.", *(f"{_quoted(name)}.{_quoted(each)}={_quoted(value)}" for each, value in pairs)]


def _quoted(text: str) -> str:
    return quote(text, safe="/:,@", errors="surrogatepass")
