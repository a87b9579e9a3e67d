"""The name of a link: who, and to what. `node-1→redis`; `node-1->redis` is the same for keyboards without arrows."""

from __future__ import annotations

from cluster.errors import WrongInputError

ARROW = "→"


def link_name(node: str, peer: str) -> str:
    """`node-1`, `redis` -> `node-1→redis`."""
    return f"{node}{ARROW}{peer}"


def canonical(text: str) -> str:
    """A link's name as a person typed it, in its one form. Raises WrongInputError for what is no link's name."""
    node, arrow, peer = text.replace("->", ARROW).partition(ARROW)
    if not (node.strip() and arrow and peer.strip()):
        raise WrongInputError(f"{text!r} is no link; a link is called node-1→redis or node-1->redis")
    return link_name(node.strip(), peer.strip())
