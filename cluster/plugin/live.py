"""Live: a running cluster in a test's hands: addresses, single reads and writes."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Self

import requests

from cluster.fault.port import Cluster
from cluster.history.operation import Layer
from cluster.status import Status
from cluster.workload.answer import layer_of

EDGE = "edge"
ANSWER_S = 10.0


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: the version (0: there is no such product), and who says to have given it, from which layer."""

    version: int
    worker: str
    layer: Layer
    response: requests.Response


class LiveCluster:
    """One cluster. `via` is `edge` (the default) or a worker by name (`node-1/worker-2`)."""

    def __init__(self, cluster: Cluster) -> None:
        """`cluster`: up and well."""
        self.cluster = cluster
        self._session = requests.Session()

    def __enter__(self) -> Self:
        """The cluster itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close this test's connections."""
        self._session.close()

    @property
    def status(self) -> Status:
        """What is so now; never waits for a server that hangs."""
        return self.cluster.status()

    @property
    def workers(self) -> dict[str, str]:
        """Every worker's name and address."""
        return {worker.name: worker.url for node in self.status.nodes for worker in node.workers}

    def url(self, via: str = EDGE) -> str:
        """Where to ask. Raises KeyError for who is not there."""
        return self.status.edge.url if via == EDGE else self.workers[via]

    def get(self, path: str, via: str = EDGE, headers: dict[str, str] | None = None) -> requests.Response:
        """GET a path."""
        return self._session.get(self.url(via) + path, headers=headers, timeout=ANSWER_S)

    def read(self, product: int, via: str = EDGE) -> Seen:
        """Read a product. Raises `requests.HTTPError` for an answer that is neither 200 nor 404."""
        response = self.get(f"/api/products/{product}", via)
        if response.status_code != 404:
            response.raise_for_status()
        return Seen(
            version=0 if response.status_code == 404 else int(response.json()["version"]),
            worker=response.headers.get("X-Worker", ""),
            layer=layer_of(response.headers.get("Cache-Status", "")),
            response=response,
        )

    def write(self, product: int, *, price: float, via: str = EDGE) -> int:
        """Give a product another price; the version that was acknowledged. Raises `requests.HTTPError`."""
        response = self._session.patch(
            f"{self.url(via)}/api/products/{product}",
            json={"price": price},
            headers={"Idempotency-Key": uuid.uuid4().hex},
            timeout=ANSWER_S,
        )
        response.raise_for_status()
        return int(response.json()["version"])
