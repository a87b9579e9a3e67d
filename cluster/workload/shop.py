"""Shop: the port between the driver and what it drives: which requests ask for what.

    arrival ── Shop ──▶ Request ── driver ──▶ Reply ── Shop.ended

The driver knows when somebody comes, keeps people's sessions and puts everything on file; what a request looks like and
where an answer holds its version is the shop's. There is the catalogue (cluster.workload.catalogue), and anybody's own
application.
"""

from __future__ import annotations

from random import Random
from typing import Protocol

from cluster.workload.client import Client
from cluster.workload.reply import Reply
from cluster.workload.request import Request


class Shop(Protocol):
    """Something with numbered products that can be read and changed over HTTP."""

    @property
    def sign_in(self) -> str:
        """The URL that takes `{"user": …}` by POST; "" where nobody can sign in."""
        ...

    def key(self, product: int) -> str:
        """What the history calls a product."""
        ...

    def read(self, product: int, via: str, client: Client) -> Request:
        """Read a product through the edge, or from a worker by name."""
        ...

    def listed(self, product: int, via: str, client: Client) -> Request:
        """See a product in a list; where there are no lists, read it."""
        ...

    def change(self, product: int, via: str, operation_id: str, client: Client, chance: Random) -> Request | None:
        """Change a product, so that a reader can tell which write it sees. None: not now; it is read instead."""
        ...

    def personal(self, client: Client) -> Request:
        """Ask for what only this client may see."""
        ...

    def shared(self, product: int, secret: str) -> Request:
        """Ask what the shared cache holds of a product."""
        ...

    def ended(self, request: Request, reply: Reply) -> None:
        """Hear what became of a request."""
        ...
