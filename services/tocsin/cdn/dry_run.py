"""DryRun: a CDN that says what would be purged, and purges nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tocsin.cdn.client import PurgeClient


class DryRun:
    """In place of `client`, whose limits it keeps; see `tocsin.cdn.client.PurgeClient`."""

    def __init__(self, client: PurgeClient, say: Callable[[str], None]) -> None:
        self.name = client.name
        self.names_max = client.names_max
        self.every_s = client.every_s
        self._say = say

    def purge(self, tags: Sequence[str]) -> None:
        """Say which."""
        self._say(f"{self.name}, dry run: would purge {', '.join(tags)}")

    def purge_everything(self) -> None:
        """Say so."""
        self._say(f"{self.name}, dry run: would purge everything")
