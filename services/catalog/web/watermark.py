"""Watermark: the signed cookie that says how much a client has seen, so that no node and no edge shows it less.

    Cookie: tocsin-watermark=<epoch>-<sequence>.<mac>        or pending-<outbox id>.<mac>
    request ── presented ──▶ at_least ──▶ read ──▶ Answer.watermark ── raised ──▶ Set-Cookie, or Tocsin-Watermark

A write's answer sets it, and a read that presents one gets it raised. Who tells the client is the outermost hop: this
node, or an edge of this cluster, which says so by its secret and is then told in `Tocsin-Watermark` (nginx/cache/
session.js has the same cookie; docs/contract.md is what both are written from).

What always holds:
- What we did not sign is no watermark. It is as if none were presented.
- A client that presents none gets none with a read, so that a shared cache may keep what it is answered with.
- *Pending* is later than every position: what the session has seen is in the database, and the caches were not told.
  It becomes a position when every outbox row up to its own is acknowledged, and Redis can be asked; until then the
  session's reads go to the database.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from flask import Response, g, request
from msgspec import Struct
from tocsin import PENDING, Cache, Position, Unavailable

from catalog.database import Database
from catalog.errors import DatabaseUnavailable
from catalog.outbox import newest, told_up_to
from catalog.web.cache_class import CacheClass

NAME = "tocsin-watermark"
FIELD = "Tocsin-Watermark"
EDGE = "Tocsin-Edge"
_POSITION = re.compile(r"([0-9a-f]{16})-([0-9]{1,15})")
_PENDING = re.compile(r"pending-([0-9]{1,15})")


class Watermark(Struct, frozen=True):
    """What a session has seen: a position, or `PENDING` until outbox row `row` and those before it are known."""

    position: Position
    row: int = 0

    def text(self) -> str:
        """As it stands in the cookie, before the signature."""
        if self.position == PENDING:
            return f"pending-{self.row}"
        return f"{self.position.epoch:016x}-{self.position.sequence}"


def watermark_of(text: str) -> Watermark | None:
    """What `Watermark.text` wrote; None for anything else."""
    if found := _POSITION.fullmatch(text):
        return Watermark(Position(int(found[1], 16), int(found[2])))
    if found := _PENDING.fullmatch(text):
        return Watermark(PENDING, int(found[1]))
    return None


def signed(text: str, secret: str) -> str:
    """`text` with its signature, as the value of the cookie."""
    mac = hmac.digest(secret.encode(), f"{NAME}={text}".encode(), hashlib.sha256)
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def presented(value: str, secret: str) -> Watermark | None:
    """The watermark in a cookie's value, if it is one that this cluster signed."""
    text = value.rpartition(".")[0]
    genuine = hmac.compare_digest(signed(text, secret).encode(), value.encode("utf-8", "replace"))
    return watermark_of(text) if text and genuine else None


def at_least(cache: Cache, database: Database, secret: str) -> Position | None:
    """How new the answer to this request must be; None where its session has seen nothing that is known of."""
    seen = presented(request.cookies.get(NAME, ""), secret)
    g.seen = seen
    if seen is None or seen.position != PENDING:
        return None if seen is None else seen.position
    try:
        position = cache.position() if told_up_to(database, seen.row) else None
    except (Unavailable, DatabaseUnavailable):
        position = None
    if position is None:
        return PENDING
    g.known = Watermark(position)
    return position


def tell(response: Response, shown: Watermark | None, secret: str) -> None:
    """Tell the session what it has seen with this answer, if it has to be told anything."""
    seen: Watermark | None = g.get("known") or g.get("seen")
    if shown is None or (seen is None and request.method in ("GET", "HEAD")):
        return
    raised = shown if seen is None else _later(seen, shown)
    if raised == g.get("seen"):
        return
    value = signed(raised.text(), secret)
    if from_edge(secret):
        response.headers[FIELD] = value
        return
    response.set_cookie(NAME, value, httponly=True, samesite="Lax")
    if response.headers.get("Cache-Control", "").startswith("public"):
        # With somebody's cookie it is nobody else's answer (hazard 39).
        response.headers["Cache-Control"] = CacheClass.PRIVATE.value
        response.headers.pop("CDN-Cache-Control", None)


def seen_with(database: Database, position: Position | None) -> Watermark | None:
    """What an answer shows, by the position that covers it: pending answers wait for all that is in the outbox now."""
    if position != PENDING:
        return None if position is None else Watermark(position)
    try:
        return Watermark(PENDING, newest(database))
    except DatabaseUnavailable:
        return None  # whatever it showed was not read now


def from_edge(secret: str) -> bool:
    """Whether an edge of this cluster sent the request, which speaks to the client in our place."""
    given = request.headers.get(EDGE, "").encode("latin-1", "replace")
    return hmac.compare_digest(given, secret.encode())


def _later(one: Watermark, other: Watermark) -> Watermark:
    """Of two positions that of the newer epoch, then the larger; pending is later than both, then the later row."""
    return max(one, other, key=lambda each: (each.position, each.row))
