"""Fastly: purge by `Surrogate-Key`, softly if wished, or of everything, in one service.

    POST /service/<service>/purge       {"surrogate_keys": ["product:1", …]}      Fastly-Soft-Purge: 1
    POST /service/<service>/purge_all

Source: Fastly's API reference, "Purging": at most 256 keys a call. A soft purge makes an object stale in place of gone,
so that it may be shown while it is fetched anew, if its `stale-while-revalidate` allows that: less load, and an old
answer for one more reader. A purge of all can't be soft.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tocsin.cdn.client import insist, post

API = "https://api.fastly.com"


class Fastly:
    """One service; see `tocsin.cdn.client.PurgeClient`."""

    name = "Fastly"
    names_max = 256
    every_s = 0.1

    def __init__(self, *, service: str, token: str, soft: bool = False, api: str = API) -> None:
        self._url = f"{api}/service/{service}"
        self._headers = {"Fastly-Key": token, "Accept": "application/json", "Content-Type": "application/json"}
        self._softly = {"Fastly-Soft-Purge": "1"} if soft else {}

    def purge(self, tags: Sequence[str]) -> None:
        """Purge what carries one of these among its surrogate keys."""
        body = msgspec.json.encode({"surrogate_keys": list(tags)})
        insist(self.name, post(f"{self._url}/purge", {**self._headers, **self._softly}, body))

    def purge_everything(self) -> None:
        """Purge the service."""
        insist(self.name, post(f"{self._url}/purge_all", self._headers, b""))
