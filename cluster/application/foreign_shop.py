"""ForeignShop: how the driver asks a foreign application, and how an answer becomes a version.

    write  {value} := tocsin-<operation id>       read  the answer holds tocsin-<operation id> ─▶ the write it shows

Where the application numbers its values, its number is the version. Where it does not, the version is the number of our
own write of the item, and an item has one writer at a time:

    write 1 is sent …                  write 2 is sent, and acknowledged
    … and is carried out only now      the item holds the older value, and we would take it for stale

So a second write waits until the first has ended, and an item whose write had no known end is never written again.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Callable
from random import Random
from urllib.parse import quote

import msgspec
from yarl import URL

from cluster.application.adapter import ITEM, VALUE, Adapter, Asking
from cluster.history.operation import ABSENT, Kind, Outcome
from cluster.workload.answer import UnreadableError, Value
from cluster.workload.client import Client
from cluster.workload.reply import Reply
from cluster.workload.request import EDGE, Request

FRONT = "front"
"""Whom the driver asks where there are no workers: then the only one there is to be judged."""
_TOKEN = re.compile(rb"tocsin-([0-9a-f]{16})")


class ForeignShop:
    """One application; `product` is the place of an item in the adapter, from 1. See `cluster.workload.shop.Shop`."""

    sign_in = ""

    def __init__(self, adapter: Adapter) -> None:
        """Nothing was written yet."""
        self._adapter = adapter
        self._numbers: dict[str, int] = {}
        """Operation id → the number of our own write of its item."""
        self._writes: dict[str, int] = defaultdict(int)
        self._closed: set[str] = set()
        """Items that are being written, or whose last write had no known end."""
        self.acknowledged: dict[str, int] = {}
        """Key → the newest version that was acknowledged."""

    def key(self, product: int) -> str:
        """What the history calls an item."""
        return f"item:{self._adapter.items[product - 1]}"

    def read(self, product: int, via: str, client: Client) -> Request:
        """Read an item."""
        return self._request(self._adapter.read, Kind.READ, product, via, client, self._shown)

    def listed(self, product: int, via: str, client: Client) -> Request:
        """Read it: nobody knows the lists of a foreign application."""
        return self.read(product, via, client)

    def change(
        self,
        product: int,
        via: str,
        operation_id: str,
        client: Client,
        chance: Random,  # noqa: ARG002
    ) -> Request | None:
        """Give an item a value that says which write it is of; None while it has a writer, or may still have one."""
        key = self.key(product)
        number = 0
        if not self._adapter.numbered:
            if key in self._closed:
                return None
            self._closed.add(key)
            self._writes[key] = number = self._writes[key] + 1
            self._numbers[operation_id] = number
        return self._request(
            self._adapter.write,
            Kind.WRITE,
            product,
            via,
            client,
            lambda body: Value(number or _number(body, self._adapter.write.version)),
            operation_id,
        )

    def personal(self, client: Client) -> Request:  # noqa: ARG002
        """Never asked: a foreign application's traffic has no personal pages."""
        raise AssertionError("the profile of a foreign application asks for no personal pages")

    def shared(self, product: int, secret: str) -> Request:  # noqa: ARG002
        """Never asked: nobody looks behind a foreign application."""
        raise AssertionError("a foreign application has no control routes")

    def ended(self, request: Request, reply: Reply) -> None:
        """Open the item for its next writer, unless the last may still be at work."""
        if request.kind is Kind.READ:
            return
        if reply.outcome is not Outcome.INFO:
            self._closed.discard(request.key)
        if reply.outcome is Outcome.OK:
            self.acknowledged[request.key] = max(reply.value.version, self.acknowledged.get(request.key, 0))

    def _shown(self, body: bytes) -> Value:
        tokens = {found.decode() for found in _TOKEN.findall(body)}
        if len(tokens) > 1:
            raise UnreadableError("it shows the values of several writes")
        token = tokens.pop() if tokens else ""
        if self._adapter.numbered:
            return Value(_number(body, self._adapter.read.version), zlib.crc32(token.encode()), token)
        # A value that is not of this run was there before it.
        return Value(self._numbers.get(token, ABSENT), 0, token if token in self._numbers else "")

    def _request(
        self,
        asking: Asking,
        kind: Kind,
        product: int,
        via: str,
        client: Client,
        value_of: Callable[[bytes], Value],
        operation_id: str = "",
    ) -> Request:
        origin = self._adapter.front if via == EDGE else self._adapter.workers[via]
        item, value = self._adapter.items[product - 1], f"tocsin-{operation_id}"
        path = asking.path.replace(ITEM, quote(item, safe="")).replace(VALUE, value)
        cookies = {"Cookie": client.cookie_header} if client.cookies else {}
        return Request(
            kind=kind,
            key=self.key(product),
            via=via if via != EDGE or self._adapter.workers else FRONT,
            method=asking.method,
            url=URL(origin + path, encoded=True),
            headers={**asking.headers, **cookies},
            body=asking.body.replace(ITEM, item).replace(VALUE, value).encode() if asking.body else None,
            operation_id=operation_id,
            value_of=value_of,
        )


def _number(body: bytes, pointer: str) -> int:
    """The whole number that a JSON pointer finds. Raises UnreadableError."""
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise UnreadableError(f"no JSON: {problem}") from problem
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(name)] if isinstance(found, list) else found[name]
        except (KeyError, IndexError, TypeError, ValueError):
            raise UnreadableError(f"there is nothing at {pointer}") from None
    if not isinstance(found, int) or isinstance(found, bool) or found < 0:
        raise UnreadableError(f"{pointer} is {found!r}, no version")
    return found
