"""Tocsin: a two-level cache for several Python processes and servers.

Each process has a local level (L1); all share one in Redis (L2); a strategy says how the local levels learn of writes.
Start with `tocsin.cache` for what an application calls, `tocsin.reading` and `tocsin.writing` for the life of a read
and of a write, `tocsin.assembly` for what each strategy is made of.
"""

from tocsin.assembly import connect
from tocsin.backplane import Hearing
from tocsin.cache import Cache
from tocsin.entry import Answer, Layer, Loaded, Step
from tocsin.errors import Happened, LoadRefused, NotConfigured, SettingsError, TocsinError, Unavailable
from tocsin.journal import Accepted, Behind, Idempotency, Operation, Outdated, Replayed, Reused
from tocsin.local import Levels
from tocsin.names import Names
from tocsin.observer import LoadOutcome, Observer, Spared, Tally, Unobserved
from tocsin.peeking import Peek, View
from tocsin.policy import Policy
from tocsin.position import PENDING, Position
from tocsin.settings import CacheSettings, Strategy, WritePath
from tocsin.stampede import Stampede
from tocsin.writing import Receipt, Write

__all__ = [
    "PENDING",
    "Accepted",
    "Answer",
    "Behind",
    "Cache",
    "CacheSettings",
    "Happened",
    "Hearing",
    "Idempotency",
    "Layer",
    "Levels",
    "LoadOutcome",
    "LoadRefused",
    "Loaded",
    "Names",
    "NotConfigured",
    "Observer",
    "Operation",
    "Outdated",
    "Peek",
    "Policy",
    "Position",
    "Receipt",
    "Replayed",
    "Reused",
    "SettingsError",
    "Spared",
    "Stampede",
    "Step",
    "Strategy",
    "Tally",
    "TocsinError",
    "Unavailable",
    "Unobserved",
    "View",
    "Write",
    "WritePath",
    "connect",
]
