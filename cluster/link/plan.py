"""What the launcher tells the link process: where links listen and lead. Imported by both, so it imports little."""

from __future__ import annotations

import msgspec

PLAN = "links.json"


class LinkPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Where a link listens on loopback, and where it leads. `to_host` may be a name; `resp`: it leads to a Redis."""

    name: str
    port: int
    to_host: str
    to_port: int
    resp: bool = False


class LinkServerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All links of a run: `links.json` in the link process's folder (0600, for it holds the secret)."""

    secret: str
    links: tuple[LinkPlan, ...]
