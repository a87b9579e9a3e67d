"""Seal: what a switch must be set to: the keyed hash of its purpose under the cluster's secret.

    CATALOG_FAILPOINTS=<HMAC-SHA256(secret, "failpoints"), in hexadecimal digits>

A seal proves that whoever set the switch knows the secret, and does not say what it is for: the name of a planted bug
can't be read from an environment or a run folder.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable


def seal_of(secret: str, purpose: str) -> str:
    """Return the seal of a purpose, 64 hexadecimal digits."""
    return hmac.new(secret.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def unsealed(secret: str, seal: str, purposes: Iterable[str]) -> str | None:
    """Return which of the purposes a seal is for, under this secret; None for none of them."""
    return next((each for each in purposes if hmac.compare_digest(seal_of(secret, each), seal)), None)
