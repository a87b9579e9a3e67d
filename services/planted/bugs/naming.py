"""Bugs of names: a dependency that is not told, and an input that is missing from the key."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace
from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.coherence import Coherence
from tocsin.invalidation import Invalidation
from tocsin.names import Names
from tocsin.policy import Policy
from tocsin.settings import CacheSettings

from planted.adaptation import Adaptation
from planted.around import Around


class _KeysOnly(Around):
    """Addresses that know what a key depends on, and nothing of tags and namespaces."""

    def invalidation(self, names: Names) -> Invalidation:
        """Invalidate the keys alone."""
        invalidation: Invalidation = self.inner.invalidation(replace(names, tags=(), namespaces=()))
        return invalidation


class TagMissed(Adaptation):
    """A write invalidates its own key, and forgets the lists that show it."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around the addresses."""
        return replace(parts, addressing=_KeysOnly(parts.addressing))


class _Anonymous(Around):
    """Addresses of dashboards without their user."""

    def resolve(self, keys: Sequence[str], policy: Policy) -> list[Address]:
        """`dashboard:ada:en` is `dashboard:anybody:en`."""
        addresses: list[Address] = self.inner.resolve([_without_user(key) for key in keys], policy)
        return addresses


def _without_user(key: str) -> str:
    return f"dashboard:anybody:{key.rpartition(':')[2]}" if key.startswith("dashboard:") else key


class UserMissing(Adaptation):
    """The key of a personal page lacks the user: the second visitor gets the first one's."""

    def parts(self, parts: Coherence, settings: CacheSettings, clock: Clock) -> Coherence:  # noqa: ARG002
        """Around the addresses."""
        return replace(parts, addressing=_Anonymous(parts.addressing))
