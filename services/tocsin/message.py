"""Message: one invalidation as it is logged and told, and the names in it.

    0000000a3c91f2e7 42 i          epoch, sequence, kind
    k:product:1                    a key
    t:category:toys                a tag; `n:` is a namespace, `p:` a prefix of keys, `*` is everything

What always holds: the log holds the same text that was published, so a listener that missed the one reads the other.
Names are printable (`tocsin.names`), so a line break never belongs to one. A text that is not a message raises
`ValueError` and nothing else.
"""

import enum

from msgspec import Struct

from tocsin.glob import whole_prefix
from tocsin.names import Names
from tocsin.position import Position, epoch_of, epoch_text

EVERYTHING = "*"
"""The name that every entry carries: invalidating it clears all. It has slot 0 of a generation table to itself."""


class Kind(enum.Enum):
    """What a message is for."""

    INVALIDATION = "i"
    STRICT = "s"  # an invalidation whose writer waits until every node has said that it applied it
    CANARY = "c"  # no invalidation: a node's question to itself whether it still hears; the sequence is its number


class Message(Struct, frozen=True):
    """A position in the log, and the names that became untrue there."""

    position: Position
    kind: Kind
    names: tuple[str, ...]


def key_name(key: str) -> str:
    """Return the name of a key in messages and slots."""
    return f"k:{key}"


def tag_name(tag: str) -> str:
    """Return the name of a tag in messages and slots."""
    return f"t:{tag}"


def namespace_name(namespace: str) -> str:
    """Return the name of a namespace in messages and slots: it is a tag whose mark is the namespace's version."""
    return f"n:{namespace}"


def prefix_name(prefix: str) -> str:
    """Return the name of a key's prefix in messages and slots: every key that has one carries it, like a tag."""
    return f"p:{prefix}"


def names_in(names: Names) -> tuple[str, ...]:
    """Return the application's names as they stand in a message; its patterns are whole prefixes."""
    return (
        *map(key_name, names.keys),
        *map(tag_name, names.tags),
        *map(namespace_name, names.namespaces),
        *(prefix_name(whole_prefix(pattern)) for pattern in names.patterns),
        *((EVERYTHING,) if names.everything else ()),
    )


def message_text(message: Message) -> str:
    """Return a message as it is logged and told; the scripts of Redis write the same."""
    head = f"{epoch_text(message.position.epoch)} {message.position.sequence} {message.kind.value}"
    return "\n".join((head, *message.names))


def message_of(text: str | bytes) -> Message:
    """Return the message that was written; raise `ValueError` for anything else."""
    if isinstance(text, bytes):
        text = text.decode()
    head, *names = text.split("\n")
    epoch, sequence, kind = head.split(" ")
    if not all(names):
        raise ValueError(f"{text!r} is not a message: a name is empty")
    return Message(Position(epoch_of(epoch), int(sequence)), Kind(kind), tuple(names))


def is_key(name: str) -> bool:
    """Whether a name is a key's: keys have entries and fill tokens, all other names have marks."""
    return name.startswith("k:")


def namespace_in(name: str) -> str:
    """Return the namespace that `namespace_name` named, or '' if the name is another's."""
    return name[2:] if name.startswith("n:") else ""


def key_in(name: str) -> str:
    """Return the key that `key_name` named."""
    assert is_key(name)
    return name[2:]
