"""Rhythm: what the settings say of a follower, and what it is called, for the process and for the thread alike."""

import secrets

from tocsin.follower import Rhythm
from tocsin.settings import CacheSettings


def rhythm_of(settings: CacheSettings) -> Rhythm:
    """Return the rhythm that the settings ask for."""
    return Rhythm(
        lease_s=settings.lease_s,
        beat_every_s=settings.beat_every_s,
        canary_every_s=settings.canary_every_s,
        canary_within_s=settings.canary_within_s,
    )


def holder_name(node: str) -> str:
    """Return a name for a follower that no other has, whatever its node is called.

    Two holders of one name would acknowledge strict writes for each other, and one of them serve the old value.
    """
    return f"{node}#{secrets.token_hex(4)}"
