"""Libraries: the peers by name. These names are strategies of the testbed (docs/contract.md)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from peers import flask_caching
from peers.cashews import Cashews
from peers.dogpile import Dogpile
from peers.peer import Maker
from peers.redis_py import Tracking

LIBRARIES: Final[Mapping[str, Maker]] = {
    "flask-caching-simple": flask_caching.simple,
    "flask-caching-redis": flask_caching.redis,
    "cashews": Cashews,
    "dogpile": Dogpile,
    "redis-py-tracking": Tracking,
}
