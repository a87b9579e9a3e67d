"""Peeking: what the levels hold of one key, for an observer who must not change it.

What always holds: a peek has no effect on entries. It explains, and proves nothing; `tocsin.explaining` says why.
"""

import math

from msgspec import Struct

from tocsin.address import Address
from tocsin.coherence import Coherence
from tocsin.entry import Miss
from tocsin.policy import Policy
from tocsin.shared import Hit


class View(Struct, frozen=True):
    """One level's entry, as an observer sees it; `ttl_s` is None for a dirty value, which has no end."""

    version: int
    negative: bool
    ttl_s: float | None
    dirty: bool = False


class Peek(Struct, frozen=True):
    """What the levels hold of one key, None for nothing that a read would use. It explains; it proves nothing."""

    l1: View | None
    l2: View | None


def peek(parts: Coherence, key: str, policy: Policy, now_s: float) -> Peek:
    """Return what the levels hold of `key`; raises `Unavailable`."""
    (address,) = parts.addressing.resolve((key,), policy)
    return Peek(l1=_local(parts, address, now_s), l2=_shared(parts, address))


def _local(parts: Coherence, address: Address, now_s: float) -> View | None:
    if parts.local is None:
        return None
    entry = parts.local.get(address.key, now_s)
    if isinstance(entry, Miss) or parts.evidence.doubt(entry, address, now_s, None):
        return None
    return View(entry.version, entry.value is None, entry.expires_s - now_s)


def _shared(parts: Coherence, address: Address) -> View | None:
    (found,) = parts.shared.peek([address])
    if not isinstance(found, Hit):
        return None
    entry = found.entry
    ttl_s = None if math.isinf(entry.ttl_s) else entry.ttl_s
    return View(entry.version, entry.value is None, ttl_s, found.dirty)
