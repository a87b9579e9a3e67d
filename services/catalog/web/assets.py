"""Assets: static files under addresses that hold a hash of their content.

What always holds: an address never serves other bytes than the first time, so it may be kept for a year; a changed
file has another address, and an address with another hash is not found.
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue

from catalog.validator import etag_of
from catalog.web.answer import represent
from catalog.web.cache_class import CacheClass, cached

FOLDER = Path(__file__).with_name("static")
routes = Blueprint("assets", __name__)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, held in memory. `address` is its path on this server."""

    address: str
    content: bytes
    content_type: str
    etag: str


def _asset(path: Path) -> Asset:
    content = path.read_bytes()
    fingerprint = etag_of(content)[:12]
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    text = "; charset=utf-8" if kind.startswith("text/") else ""
    return Asset(f"/static/{path.stem}.{fingerprint}{path.suffix}", content, f"{kind}{text}", etag_of(content))


BY_NAME = {path.name: _asset(path) for path in sorted(FOLDER.iterdir())}
BY_ADDRESS = {asset.address: asset for asset in BY_NAME.values()}


def address_of(name: str) -> str:
    """The address of a file of the folder `static`; `KeyError` for a name that is not there."""
    return BY_NAME[name].address


@routes.get("/static/<filename>")
@cached(CacheClass.IMMUTABLE)
def asset(filename: str) -> ResponseReturnValue:
    """The file, if the fingerprint in its address is that of its content."""
    found = BY_ADDRESS.get(f"/static/{filename}")
    if found is None:
        abort(404)
    return represent(found.content, content_type=found.content_type, etag=found.etag)
