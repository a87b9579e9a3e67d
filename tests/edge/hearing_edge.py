"""A real edge that hears, a node whose evidence a test decides, and the sink of an agent that the test plays."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from pathlib import Path

from tocsin.edge.group import base_text, group_list
from tocsin.edge.sink import EdgeSink
from tocsin.position import Position

from cluster.edge import CONTROL
from tests.edge.conftest import identity
from tests.edge.running_edge import SECRET, Answer, Edge, running_edge
from tests.edge.toy_node import Request, ToyNode, answer

EPOCH = 0x0000000A3C91F2E7
LONG_S = 600.0
Fields = tuple[tuple[str, str], ...]


def boot_clock_s() -> float:
    """Seconds since the machine was booted, as agents count them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class ProvingNode(ToyNode):
    """A node of a sequenced strategy: it says as of which sequence its answers are true, and whom they concern.

    The body counts the requests, so that an answer tells which request it came from. `before` runs before each answer
    is made, while the edge waits for it.
    """

    def __init__(self, *names: str) -> None:
        self.names = names
        self.base = Position(EPOCH, 0)
        self.proves = True
        self.more: Fields = ()
        self.before: Callable[[], None] = lambda: None
        super().__init__("node-1", self.reply)

    def reply(self, request: Request) -> bytes:
        number = len(self.requests)
        base = self.base
        self.before()
        fields = [
            ("Date", formatdate(usegmt=True)),  # without one, each hit would take the long way, which adds it
            ("Cache-Control", "public, max-age=0, must-revalidate"),
            ("CDN-Cache-Control", "max-age=600"),
            ("Cache-Groups", group_list(self.names)),
            *self.more,
        ]
        if self.proves:
            fields.append(("Tocsin-Base", base_text(base)))
        return answer(f"answer {number}", headers=identity("node-1", *fields))


@dataclass
class Scene:
    """The edge, its node, and its agent's sink. `proof` says, of a read, whether the store answered it."""

    edge: Edge
    node: ProvingNode
    sink: EdgeSink

    @property
    def path(self) -> Path:
        """The control socket."""
        return self.edge.prefix / CONTROL

    def lead(self, sequence: int = 0, *, lease_s: float = LONG_S) -> None:
        """Begin a term as an agent does: at a sequence, with a lease."""
        self.sink.take_over()
        self.sink.flush(Position(EPOCH, sequence))
        self.renew(lease_s)

    def renew(self, lease_s: float = LONG_S) -> None:
        self.sink.renew(boot_clock_s() + lease_s)

    def write(self, sequence: int, *names: str) -> None:
        """What a write comes to, seen from the edge: an invalidation of names as messages have them."""
        self.sink.apply(sequence, names)
        self.node.base = Position(EPOCH, sequence)

    def read(self, target: str = "/x", **headers: str) -> str:
        """The body of a GET."""
        return self.edge.get(target, **headers).text

    def kept(self, target: str = "/x", **headers: str) -> bool:
        """Does the store answer for it now?"""
        return is_hit(self.edge.get(target, **headers))


def is_hit(reply: Answer) -> bool:
    """Did the edge answer from its store?"""
    return member(reply).startswith("edge; hit")


def member(reply: Answer) -> str:
    """The edge's own member of Cache-Status."""
    return (reply.get("Cache-Status") or "").split(", ")[-1]


@contextlib.contextmanager
def hearing_edge(
    prefix: Path, *names: str, user: str | None = None, change: Callable[[Path], None] | None = None
) -> Iterator[Scene]:
    """An edge before one node whose answers carry `names`, with a lease already."""
    with (
        ProvingNode(*names) as node,
        running_edge(prefix, [node.address], user=user, change=change, hears=True) as edge,
    ):
        sink = EdgeSink(prefix / CONTROL, secret=SECRET, now=boot_clock_s)
        with contextlib.closing(sink):
            scene = Scene(edge, node, sink)
            scene.lead()
            yield scene
