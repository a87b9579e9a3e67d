"""Cloudflare: purge by `Cache-Tag`, or of everything, in one zone.

    POST /client/v4/zones/<zone>/purge_cache   {"tags": ["product:1", …]} | {"purge_everything": true}

Source: Cloudflare's API reference, "Purge cached content": at most 30 tags a call, and a bearer token that may purge.
Its answer is a success only if it says so in its body, whatever its status.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from tocsin.cdn.client import PurgeRefused, insist, post

API = "https://api.cloudflare.com"


class Cloudflare:
    """One zone; see `tocsin.cdn.client.PurgeClient`."""

    name = "Cloudflare"
    names_max = 30
    every_s = 0.25  # 1,200 requests in five minutes

    def __init__(self, *, zone: str, token: str, api: str = API) -> None:
        self._url = f"{api}/client/v4/zones/{zone}/purge_cache"
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def purge(self, tags: Sequence[str]) -> None:
        """Purge what carries one of these as its `Cache-Tag`."""
        self._post({"tags": list(tags)})

    def purge_everything(self) -> None:
        """Purge the zone."""
        self._post({"purge_everything": True})

    def _post(self, body: dict[str, object]) -> None:
        reply = post(self._url, self._headers, msgspec.json.encode(body))
        insist(self.name, reply)
        if not _succeeded(reply.body):
            raise PurgeRefused(
                f"{self.name} answered {reply.status}, but: {reply.body[:200].decode('utf-8', 'replace')}"
            )


def _succeeded(body: bytes) -> bool:
    try:
        answer = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(answer, dict) and answer.get("success") is True
