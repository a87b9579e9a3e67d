"""How soon the edge shows a write, and what it costs to purge a tag with ten thousand answers.

    python -m bench.edge_hearing [--writes 200] [--answers 10000]

Visible: a whole cluster of plain processes. A price is changed through one node after another, and from the moment of
the write's answer the edge is asked over and over, by somebody without a session. Told are the time until the first
answer with the new price has arrived, a node's work for it included, and how many reads after the write's answer still
showed the old one. Beside it, the same through a node that did not write: what its L1 needs.

Purged: an edge alone, an origin that answers at once, all answers stored under one tag. Told is the time that the one
call of the agent takes, after which no worker uses any of them; and that none is used.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cluster.demo.figures import quantile
from tests.edge.hearing_edge import hearing_edge
from tests.edge.running_edge import Answer

WITHIN_NS = 5_000_000_000


class Client:
    """One kept connection."""

    def __init__(self, url: str) -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)

    def ask(self, method: str, target: str, body: Any = None) -> tuple[Any, str]:
        """The JSON of an answer, and its Cache-Status."""
        text = None if body is None else json.dumps(body)
        self._connection.request(method, target, text, {"Content-Type": "application/json"} if text else {})
        reply = self._connection.getresponse()
        return json.loads(reply.read()), reply.getheader("Cache-Status") or ""

    def close(self) -> None:
        """Close it."""
        self._connection.close()


@contextlib.contextmanager
def cluster() -> Iterator[dict[str, Any]]:
    """The status of a cluster of its own."""
    with tempfile.TemporaryDirectory() as runs:
        environment = {**os.environ, "TOCSIN_RUNS": runs}

        def run(*words: str) -> str:
            command = [sys.executable, "-m", "cluster", *words]
            return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

        run("up", "--port", "0")
        try:
            status: dict[str, Any] = json.loads(run("status", "--json"))
            yield status
        finally:
            run("down")


def visible(status: dict[str, Any], writes: int) -> None:
    """Write through each node in turn, and look at the edge and at another node."""
    nodes = [Client(node["url"]) for node in status["nodes"]]
    looked = {"the edge": Client(status["edge"]["url"]), "another node": nodes[1]}
    for name, reader in looked.items():
        took, old = [], 0
        for number in range(writes):
            product = f"/api/products/{700 + number % 50}"
            for _ in range(2):
                reader.ask("GET", product)  # it is stored, in L1 or at the edge
            writer = nodes[number % len(nodes)] if name == "the edge" else nodes[0]
            written = writer.ask("PATCH", product, {"price": 1 + number})[0]["version"]
            began = time.perf_counter_ns()
            while reader.ask("GET", product)[0]["version"] < written:
                old += 1
                assert time.perf_counter_ns() < began + WITHIN_NS, f"{name} did not show {product} in time"
            took.append(time.perf_counter_ns() - began)
        took.sort()
        figures = ", ".join(f"{label} {quantile(took, share) / 1e6:.2f} ms" for label, share in QUANTILES)
        print(f"visible at {name:<13} {figures}; {old} old answers after {writes} writes", flush=True)
    for client in (*nodes, looked["the edge"]):
        client.close()


QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))


def purged(answers: int) -> None:
    """Store answers under one tag, purge it, and look for one that is still used."""
    with tempfile.TemporaryDirectory() as folder, hearing_edge(Path(folder) / "edge", "category:toys") as scene:
        client = http.client.HTTPConnection("127.0.0.1", scene.edge.port, timeout=30)

        def read(number: int) -> Answer:
            client.request("GET", f"/{number}")
            reply = client.getresponse()
            body = reply.read()
            return Answer(reply.status, tuple(reply.getheaders()), body)

        def used(number: int) -> bool:
            return "edge; hit" in (read(number).get("Cache-Status") or "")

        for number in range(answers):
            read(number)
        kept = sum(used(number) for number in range(answers))
        began = time.perf_counter()
        scene.write(1, "t:category:toys")
        took = time.perf_counter() - began
        left = sum(used(number) for number in range(answers))
        client.close()
    print(
        f"purged: a tag with {kept} stored answers in {took * 1e3:.2f} ms; {left} of them used afterwards", flush=True
    )


def main() -> None:
    """Measure both."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--writes", type=int, default=200)
    options.add_argument("--answers", type=int, default=10_000)
    chosen = options.parse_args()
    purged(chosen.answers)
    with cluster() as status:
        visible(status, chosen.writes)


if __name__ == "__main__":
    main()
