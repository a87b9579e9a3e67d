"""Requests: what a wish is in HTTP, and what of it goes on file. Which requests a shop takes: cluster.workload.shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from yarl import URL

from cluster.history.operation import Kind
from cluster.workload.answer import Value

EDGE, REDIS = "edge", "redis"
LOCALE = "en"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `key` and `via` go on file; `value_of` reads the body of a 2xx answer.

    `versioned`: a 404 in answer to it is a version of the key, too: that it is not there.
    """

    kind: Kind
    key: str
    via: str
    method: str
    url: URL
    headers: dict[str, str]
    body: bytes | None
    operation_id: str
    value_of: Callable[[bytes], Value]
    versioned: bool = True


@dataclass(frozen=True, slots=True)
class Origins:
    """Where to ask: the edge's URL, and that of each worker by name (`node-1/worker-1`); none ends in a slash."""

    edge: str
    workers: Mapping[str, str]

    def url(self, via: str) -> str:
        """The URL of the edge or of a worker."""
        return self.edge if via == EDGE else self.workers[via]
