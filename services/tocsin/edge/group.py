"""Group: the names of invalidations as HTTP has them, so that an edge can match what it keeps with what it hears.

    an answer ──▶ Cache-Groups: "product:1", "products"      a write ──▶ Cache-Group-Invalidation: "product:1", …
    the log   ──▶ k:product:1, n:products ──▶ product:1, products                             (RFC 9875)

What always holds: a name has one spelling on both ways. Structured fields hold ASCII (RFC 9651), so other characters
are percent-encoded as UTF-8, and `%` itself is. Keys, tags and namespaces are not told apart: two that are spelled
alike cost a miss.
"""

from collections.abc import Iterable
from urllib.parse import quote

from tocsin.message import EVERYTHING
from tocsin.position import Position, epoch_text

_PLAIN = "!#$&'()*+,/:;<=>?@[]^`{|} "  # printable ASCII but `%`, `"` and `\`, beside what `quote` leaves anyway


def group_of(name: str) -> str:
    """Return the group that stands for a key, a tag or a namespace."""
    return quote(name, safe=_PLAIN)


def group_in(name: str) -> str:
    """Return the group of a name as messages have it (`tocsin.message`); `*` stays what it is."""
    return name if name == EVERYTHING else group_of(name[2:])


def tag_of(name: str) -> str:
    """Return a key, tag or namespace as CDNs take it: blanks part names in `Surrogate-Key`, commas in `Cache-Tag`."""
    return quote(name, safe=":-._~")


def tag_in(name: str) -> str:
    """Return the tag of a name as messages have it; `*` stays what it is."""
    return name if name == EVERYTHING else tag_of(name[2:])


def group_list(names: Iterable[str]) -> str:
    """Return the field value that lists the groups of `names`: a list of strings."""
    return ", ".join(f'"{group_of(name)}"' for name in names)


def base_text(base: Position) -> str:
    """Return the field value of `Tocsin-Base`."""
    return f"{epoch_text(base.epoch)},{base.sequence}"
